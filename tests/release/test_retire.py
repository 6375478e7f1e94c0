"""A retired name is served no more, says so everywhere, and comes back only on purpose."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from unittest import mock

import pytest

from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.origin import Origin
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.pipeline.report.artifacts import ModelArtifacts, Sources
from slipway.release.history import load_history
from slipway.release.promote import promote
from slipway.release.prune import candidates
from slipway.release.retire import retire
from slipway.release.rollback import rollback
from slipway.release.status import load_status
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.store.stage import StageStore
from tests.release.sample_releases import DEV, create_repository, promote_samples, publish_sample
from tests.store.readable_stores import ReadableStore

CI = Origin("c0ffee", "https://gitlab.example.com/-/pipelines/7", "ci")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = create_repository(tmp_path / "repository")
    promote_samples(made, "1.0.0", "1.1.0")
    monkeypatch.chdir(made.root)
    return made


def production(settings: Settings) -> StageStore:
    return open_stage(settings, "production")


def everything(settings: Settings) -> dict[str, bytes]:
    files = [path for path in (settings.root / "store").rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files if ".lock" not in path.name}


def test_the_alias_goes_away_and_the_event_says_by_whom_and_why(settings: Settings) -> None:
    made = retire(settings, "production", "m", CI, "replaced by n")
    assert (made.before, made.retired) == ("m_1.1.0.tar.gz", True)
    assert made.undo == "slipway rollback m m_1.1.0.tar.gz"
    assert Catalog(production(settings)).find_alias("m") is None
    assert len(Catalog(production(settings)).targets("m")) == 2
    event = load_history(settings, "m", ["production"])[0].event
    assert (event.action, event.before, event.reason) == (
        "retire",
        "m_1.1.0.tar.gz",
        "replaced by n",
    )
    assert event.origin == CI
    before = everything(settings)
    again = retire(settings, "production", "m", DEV)
    assert (again.retired, again.undo) == (False, made.undo) and everything(settings) == before


def test_status_history_and_describe_show_it(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retire", "m", "--reason", "replaced by n"]) == 0
    output = capsys.readouterr().out
    assert (
        'production alias "m" → none, retired' in output and "undo:   slipway rollback m" in output
    )
    assert main(["status", "--check"]) == 0
    output = capsys.readouterr().out
    assert "retired" in output and "catalog and bucket agree" in output
    [model] = load_status(settings)
    assert model.production is None and model.dump()["retired"]["production"]["reason"]
    assert main(["history", "m"]) == 0
    assert "1.1.0 → none" in (output := capsys.readouterr().out) and "“replaced by n”" in output
    assert main(["describe", "m", "--stage", "production"]) == 0
    assert (
        "none: it was retired" in (output := capsys.readouterr().out) and "replaced by n" in output
    )
    assert main(["retire", "m", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["retired"] is False


def test_who_asks_for_it_learns_that_it_was_retired_and_how_to_serve_it(
    settings: Settings,
) -> None:
    retire(settings, "production", "m", DEV)
    with pytest.raises(SlipwayError, match="m was retired from production") as caught:
        Catalog(production(settings)).alias("m")
    fix = str(caught.value.fix).partition("; ")[2].removesuffix(" serves it again")
    assert main(shlex.split(fix)[1:]) == 0
    assert str(Catalog(production(settings)).alias("m")) == "m_1.1.0.tar.gz"


def test_the_report_of_a_branch_knows_it(settings: Settings, tmp_path: Path) -> None:
    (settings.root / "models" / "m").mkdir(parents=True)
    sources = Sources(artifact=settings.root / "dist" / "m_1.1.0.tar.gz")
    folder = settings.root / "models" / "m"
    assert not ModelArtifacts(settings, folder, sources, tmp_path).retired
    retire(settings, "production", "m", DEV)
    artifacts = ModelArtifacts(settings, folder, sources, tmp_path)
    assert artifacts.retired and artifacts.record is None and not artifacts.problems


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.2.0"])
def test_no_promotion_late_or_new_serves_it_again(settings: Settings, version: str) -> None:
    publish_sample(settings, "1.2.0")
    retire(settings, "production", "m", DEV)
    late = promote(settings, "m", version, CI)
    assert not late.moved and late.why and "m was retired" in late.why
    assert Catalog(production(settings)).find_alias("m") is None
    words = shlex.split(late.why.partition("; ")[2].removesuffix(" serves this release"))
    assert main(words[1:]) == 0
    assert str(Catalog(production(settings)).alias("m")) == f"m_{version}.tar.gz"


def test_what_was_retired_is_not_served_by_a_job_that_runs_again_later(settings: Settings) -> None:
    retire(settings, "production", "m", DEV)
    rollback(settings, "production", "m", "1.0.0", DEV)
    late = promote(settings, "m", "1.1.0", CI)
    assert not late.moved and late.why and "was served before, and retired" in late.why


def test_a_rollback_and_the_printed_undo_serve_it_again(settings: Settings) -> None:
    targets = ["m_1.0.0.tar.gz", "m_1.1.0.tar.gz"]
    split = Alias((Variant(targets[0], 90), Variant(targets[1], 10)))
    move_alias(production(settings), "m", split, "alias", DEV)
    undo = str(retire(settings, "production", "m", DEV).undo)
    assert main(shlex.split(undo)[1:]) == 0
    assert Catalog(production(settings)).alias("m") == split
    retire(settings, "production", "m", DEV)
    assert rollback(settings, "production", "m", None, DEV).target == targets[0]
    assert [one for model in load_status(settings) for one in model.discrepancies] == []


def test_cut_off_before_its_event_it_is_completed_by_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slipway.release.overview.inspection.PAUSES", ())
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(journal, "append_event", mock.Mock(side_effect=KeyboardInterrupt))
        retire(settings, "production", "m", DEV)
    [discrepancy] = [one for model in load_status(settings) for one in model.discrepancies]
    assert discrepancy.what == "alias moved without an event"
    first, second = discrepancy.fix.split("; or ")
    assert first == "slipway rollback m m_1.1.0.tar.gz"
    assert main(shlex.split(second)[1:]) == 0
    assert (
        load_status(settings)[0].discrepancies == ()
        and "production" in load_status(settings)[0].retired
    )


def test_an_alias_that_moves_meanwhile_is_not_removed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = journal.last_move

    def move_then_look(*words: object, **options: object) -> object:
        monkeypatch.undo()
        found = original(*words, **options)  # type: ignore[arg-type]
        rollback(settings, "production", "m", "1.0.0", DEV)
        return found

    monkeypatch.setattr("slipway.release.retire.journal.last_move", move_then_look)
    with pytest.raises(SlipwayError, match="was moved meanwhile"):
        retire(settings, "production", "m", DEV)
    assert str(Catalog(production(settings)).alias("m")) == "m_1.0.0.tar.gz"


def test_a_damaged_alias_can_be_retired_and_an_unknown_name_cannot(settings: Settings) -> None:
    (settings.root / "store" / keys.alias("production", "m")).write_bytes(b"{")
    assert retire(settings, "production", "m", DEV).before == "m_1.1.0.tar.gz"
    with pytest.raises(SlipwayError, match="no release of 'x' in production"):
        retire(settings, "production", "x", DEV)


def test_a_push_to_staging_serves_a_retired_name_there_again(settings: Settings) -> None:
    retire(settings, "staging", "m", DEV)
    assert load_status(settings)[0].staging is None
    made = publish_sample(settings, "1.1.0")
    assert str(Catalog(open_stage(settings, "staging")).alias("m")) == made.target
    assert load_status(settings)[0].discrepancies == ()


def test_its_releases_stay_so_that_a_rollback_finds_them(settings: Settings) -> None:
    retire(settings, "production", "m", DEV)
    assert candidates(settings, ["m"], 1, ["production"]) == []


def test_it_is_retired_in_stores_of_each_kind(
    readable_store: ReadableStore, tmp_path: Path
) -> None:
    made = create_repository(tmp_path / "other")
    (made.root / "slipway.toml").write_text(f'[release]\nstore = "{readable_store.location}"\n')
    from slipway import settings as configuration

    configured = configuration.load(made.root)
    promote_samples(configured, "1.0.0")
    assert retire(configured, "production", "m", DEV).retired
    assert not promote(configured, "m", "1.0.0", CI).moved
    assert rollback(configured, "production", "m", None, DEV).moved
