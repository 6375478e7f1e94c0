"""The commands of releases as people type them and read them, on a terminal of 80 columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway import settings as configuration
from slipway.catalog import journal, keys
from slipway.catalog.keys import Kind
from slipway.cli import main
from slipway.release.metadata import ReleaseMetadata
from slipway.settings import Settings
from slipway.store.open import open_stage
from tests.release import sample_releases
from tests.release.sample_releases import DEV, create_repository, publish_sample

WIDTH = 80


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A repository, the working folder, with a store of its own."""
    made = create_repository(tmp_path / "repository")
    folder = made.root / "models" / "m"
    (folder / "m" / "1").mkdir(parents=True)
    (folder / "model_version.txt").write_text("1.0.0\n")
    (folder / "m" / "config.pbtxt").write_text(sample_releases.CONFIG.format(name="m", batch=8))
    (folder / "m" / "1" / "model.py").write_text("class TritonPythonModel: ...\n")
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("GITLAB_USER_LOGIN", "dev")
    monkeypatch.delenv("CI_PIPELINE_URL", raising=False)
    return made


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command that succeeds, and give what it printed."""

    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(list(words)) == code
        output = capsys.readouterr()
        return output.out if code == 0 or output.out else output.err

    return run


def fits(output: str) -> bool:
    return max(map(len, output.splitlines())) <= WIDTH


def test_a_release_goes_through_staging_to_production_and_back(
    settings: Settings, say: Any
) -> None:
    for version in ("1.0.0", "1.1.0"):
        made = publish_sample(
            settings, version, metadata=ReleaseMetadata(DEV, changes=(f"c0ffee0 Change {version}",))
        )
        output = say("promote", "m")
        assert f"m {version} → production: m_{version}.tar.gz (promoted)" in output
        assert made.target in output
    assert "undo: slipway rollback m" in output and "(already there)" in say("promote", "m")
    output = say("rollback", "m", "--reason", "empty answers")
    assert 'production alias "m" → m_1.0.0.tar.gz' in output
    assert "undo:   slipway rollback m m_1.1.0.tar.gz" in output
    output = say("status")
    assert (
        "↶" in output
        and "to promote" in output
        and "catalog and bucket agree" in output
        and fits(output)
    )
    output = say("history", "m")
    assert "1.1.0 → 1.0.0" in output and "“empty answers”" in output and fits(output)
    assert "c0ffee0 Change 1.1.0" in output
    assert 'production alias "m" → m_1.0.0.tar.gz (unchanged)' in say("rollback", "m", "1.0.0")
    assert "slipway rollback m 1.1.0" in say("promote", "m", "1.1.0")


def test_publish_says_target_size_and_whether_it_was_tested(
    settings: Settings, say: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = sample_releases.write_artifact(settings.root / "dist")
    words = ("publish", "models/m", "--artifact", str(artifact))
    output = say(*words)
    assert "m 1.0.0 → staging: m_1.0.0-rc.h" in output and "(published)" in output
    assert "kB" in output or "bytes" in output
    assert "no test result is recorded for this artifact" in output
    [line] = say(*words, "--json").splitlines()
    made = json.loads(line)
    assert (made["created"], made["tested"], made["size"]) == (False, None, artifact.stat().st_size)
    store = open_stage(settings, "staging")
    evidence = store.store.keys(f"staging/catalog/m/evidence/{made['sha256']}/")
    assert [key.rpartition("/")[2] for key in evidence] == ["provenance.json", "sbom.json"]


def test_publish_to_production_needs_what_production_requires(settings: Settings, say: Any) -> None:
    (settings.root / "slipway.toml").write_text(
        '[release]\nstore = "store"\n[release.production]\nrequire = ["tests"]\n'
        "clean_commit = false\n"
    )
    artifact = sample_releases.write_artifact(settings.root / "dist")
    words = ("publish", "models/m", "--artifact", str(artifact), "--stage", "production")
    output = say(*words, code=1)
    assert "production requires tests: no tests" in output and "fix:" in output
    required = configuration.load(settings.root)
    assert open_stage(required, "production").store.keys("production") == []
    publish_sample(required, stage="production")  # its tests are known from here on
    assert "(already there)" in say(*words)


def test_machines_get_the_same_as_json(settings: Settings, say: Any) -> None:
    publish_sample(settings)
    promoted = json.loads(say("promote", "m", "--json"))
    assert (promoted["target"], promoted["moved"]) == ("m_1.0.0.tar.gz", True)
    publish_sample(settings, "1.1.0")
    json.loads(say("promote", "m", "--json"))
    back = json.loads(say("rollback", "m", "--json", "--reason", "a test"))
    assert (back["target"], back["before"]) == ("m_1.0.0.tar.gz", "m_1.1.0.tar.gz")
    [status] = json.loads(say("status", "--json"))
    assert status["production"]["version"] == "1.0.0" and status["drift"] == []
    events = json.loads(say("history", "m", "--stage", "production", "--json"))
    assert [event["action"] for event in events] == ["rollback", "promote", "promote"]
    assert events[0]["reason"] == "a test" and events[0]["by"] == "dev"
    whole = json.loads(say("verify", "--json"))
    assert {one["target"] for one in whole} >= {"m_1.0.0.tar.gz"}
    compared = json.loads(say("diff", "m", "staging", "production", "--json"))
    assert compared["before"]["version"] == "1.0.0" and compared["changes"]
    assert json.loads(say("prune", "--keep", "1", "--dry-run", "--json")) == []


def test_evidence_that_is_present_keeps_its_word_in_json(settings: Settings, say: Any) -> None:
    sboms: tuple[dict[Kind, bytes], ...] = ({}, {"sbom": b"{}"})
    for version, documents in zip(("1.0.0", "1.1.0"), sboms, strict=True):
        publish_sample(settings, version, metadata=ReleaseMetadata(DEV, documents))
    releases = ("diff", "m", "1.0.0", "1.1.0")
    [change] = [
        change
        for change in json.loads(say(*releases, "--json"))["changes"]
        if (change["part"], change["name"]) == ("evidence", "sbom")
    ]
    assert (change["before"], change["after"]) == (None, "there")
    assert "— → present" in say(*releases)


def test_verify_fails_with_a_list_of_what_is_wrong(settings: Settings, say: Any) -> None:
    target = publish_sample(settings).target
    assert "1 of 1 releases are intact" in say("verify")
    (settings.root / "store/staging/models" / target).write_bytes(b"other")
    output = say("verify", code=1)
    assert f"staging: {target}\n" in output and "its SHA-256 is" in output
    assert "0 of 1 releases are intact" in output
    assert json.loads(say("verify", "m", "--json", code=1))[0]["problems"]
    assert "no release of 'n'" in say("verify", "n", code=1)


def test_status_shows_a_discrepancy_with_its_fix(settings: Settings, say: Any) -> None:
    publish_sample(settings)
    (settings.root / "store/staging/models/m_9.0.0.tar.gz").write_bytes(b"?")
    output = say("status", "m")
    assert "1 difference between catalog and bucket" in output
    assert "object without a record: staging/models/m_9.0.0.tar.gz\n  fix: " in output


def test_status_of_a_split_fits_its_lines(settings: Settings, say: Any) -> None:
    name = "a_model_with_a_name_of_some_length"
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        publish_sample(settings, version, name=name)
        say("promote", name)
    split = ("1.0.0=90", "1.1.0=10", "--shadow", "1.2.0", "--reason", "a tenth first")
    say("alias", name, *split, "--stage", "production")
    output = say("status")
    assert (
        fits(output)
        and "1.0.0 90 %" in output
        and "1.1.0 10 %" in output
        and "shadow 1.2.0" in output
    )
    assert "“a tenth first”" in say("history", name)


def test_nothing_released_yet_is_reported(settings: Settings, say: Any) -> None:
    assert "no releases yet: slipway publish" in say("status")
    assert "no releases to verify" in say("verify")
    assert "nothing removed" in say("prune")
    assert "no release of 'm'" in say("history", "m", code=1)


def test_history_shows_the_last_events_unless_all_are_wanted(settings: Settings, say: Any) -> None:
    for number in range(4):
        publish_sample(settings, f"1.{number}.0")
    output = say("history", "m", "--limit", "2")
    assert output.count("publish") == 2 and "--limit 0 shows all" in output
    assert say("history", "m", "--limit", "0").count("publish") == 4


def test_history_is_short_where_a_release_brought_many_commits(
    settings: Settings, say: Any
) -> None:
    publish_sample(
        settings,
        metadata=ReleaseMetadata(DEV, changes=tuple(f"{n:07} {'long ' * 30}" for n in range(9))),
    )
    output = say("history", "m")
    assert "… and 5 more" in output and fits(output)


def test_prune_says_what_went_and_what_it_freed(settings: Settings, say: Any) -> None:
    for number in range(4):
        publish_sample(settings, f"1.{number}.0")
    assert "2 artifacts would be removed" in say("prune", "--keep", "2", "--dry-run")
    output = say("prune", "m", "--keep", "2")
    assert "2 artifacts removed" in output and "m_1.0.0-rc" in output
    assert "prune    1.0.0 h" in say("history", "m")
    assert "nothing removed" in say("prune", "--keep", "2")


def test_diff_reads_files_and_releases(settings: Settings, say: Any) -> None:
    a = sample_releases.write_artifact(settings.root / "a")
    b = sample_releases.write_artifact(settings.root / "b", batch=16)
    output = say("diff", str(a), str(b))
    assert "-max_batch_size: 8" in output and "+max_batch_size: 16" in output
    assert "no difference" in say("diff", str(a), str(a))
    publish_sample(settings, "1.0.0")
    say("promote", "m")
    assert "the same bytes" in say("diff", "m", "staging", "production")
    publish_sample(settings, "1.1.0", weights=b"more")
    output = say("diff", "m", "staging", "production")
    assert "production  1.0.0" in output and "staging     1.1.0 h" in output and fits(output)
    assert "Usage" in say("diff", "m", code=1)


def test_an_alias_that_is_set_is_in_the_journal_and_only_to_what_is_whole(
    settings: Settings, say: Any
) -> None:
    first = publish_sample(settings, "1.0.0").target
    second = publish_sample(settings, "1.1.0").target
    say("alias", "m", "1.0.0=90", "1.1.0=10", "--reason", "carefully")
    [event, *_] = journal.load_events(open_stage(settings, "staging"), "m")
    assert (event.action, event.reason, event.origin.by) == ("alias", "carefully", "dev")
    (settings.root / "store" / keys.artifact("staging", first)).unlink()
    assert "its artifact is gone" in say("alias", "m", "1.0.0", code=1)
    assert second in say("alias", "m", "1.1.0")
