"""The index saves requests, is never the truth, and is put right by whoever looks next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from slipway.catalog import keys
from slipway.catalog.alias import single_target
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.index.entry import Entry, parse_entry
from slipway.catalog.index.line import read_line
from slipway.catalog.index.move import Move
from slipway.catalog.index.snapshot import read_index, refresh_snapshot
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.release.overview import stage_view
from slipway.release.rollback import rollback
from slipway.release.status import load_overview, load_status
from slipway.settings import Settings
from slipway.store.directory import DirectoryStore
from slipway.store.interface import AccessDenied
from slipway.store.open import open_stage
from slipway.store.stage import StageStore
from tests.release.sample_releases import DEV, create_repository, publish_sample
from tests.store.readable_stores import BucketStore

NAMES = [f"model_{number}" for number in range(12)]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slipway.release.overview.inspection.PAUSES", ())


@pytest.fixture(autouse=True)
def no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """No move writes the snapshot, which one of eight does."""
    monkeypatch.setattr("slipway.catalog.index.move.REFRESHED_BY", 1 << 1024)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any store counts as a large one, of which three names are compared."""
    monkeypatch.setattr(stage_view, "LISTED", -1)
    monkeypatch.setattr(stage_view, "COMPARED", 3)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return create_repository(tmp_path / "repository")


@pytest.fixture(params=["folder", "release_bucket", "seaweed_release_bucket"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty store of each kind."""
    if request.param == "folder":
        return create_repository(tmp_path / "repository")
    bucket: BucketStore = request.getfixturevalue(request.param)
    return create_repository(tmp_path, f'\n[release.staging]\nstore = "{bucket.location}"\n')


def staging(settings: Settings) -> StageStore:
    return open_stage(settings, "staging")


def entry(settings: Settings, name: str) -> Entry:
    key = keys.index_entry("staging", name)
    data = staging(settings).store.read(key)
    assert data is not None
    return parse_entry(data, name, key)


def served(settings: Settings) -> dict[str, str | None]:
    overview = load_overview(settings)
    return {m.name: m.staging.version if m.staging else None for m in overview.models}


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What is asked of a folder, by method and by what the key ends in."""
    counted: Counter[str] = Counter()
    for method in ("read", "stats", "level", "stat", "digest", "swap", "create"):
        original = getattr(DirectoryStore, method)

        def ask(
            self: Any, key: str, *words: Any, _original: Any = original, _method: str = method
        ) -> Any:
            counted[f"{_method} {key.rpartition('/')[2] or key}"] += 1
            return _original(self, key, *words)

        monkeypatch.setattr(DirectoryStore, method, ask)
    yield counted


def test_what_was_published_is_shown_without_reading_an_alias_or_a_record(
    settings: Settings, large: None, requests: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        publish_sample(settings, name=name)
    served(settings)  # writes the copies
    monkeypatch.setattr(stage_view, "COMPARED", 0)
    requests.clear()
    overview = load_overview(settings)
    assert [m.name for m in overview.models] == sorted(NAMES) and not overview.is_complete
    assert all(m.staging and m.staging.version == "1.0.0" for m in overview.models)
    # the production of nothing is one level; staging is one level and one object
    assert requests == {
        "level staging/catalog/": 1,
        "level production/catalog/": 1,
        "read index.json": 1,
    }
    publish_sample(settings, "1.1.0", name=NAMES[3])
    requests.clear()
    assert served(settings)[NAMES[3]] == "1.1.0"
    assert sum(requests.values()) == 4  # and the one entry that changed


def test_it_says_the_same_in_a_store_of_each_kind(anywhere: Settings, large: None) -> None:
    for version in ("1.0.0", "1.1.0"):
        publish_sample(anywhere, version)
    publish_sample(anywhere, name="other")
    rollback(anywhere, "staging", "m", None, DEV)
    by_index = load_overview(anywhere)
    assert not by_index.is_complete and by_index.views["staging"].differed == 0
    with mock.patch("slipway.catalog.index.line.Line.agrees", lambda *_, **__: False):
        assert by_index.models == load_status(anywhere)
    assert entry(anywhere, "m").line == read_line(staging(anywhere), "m")


def test_two_publishers_of_different_models_do_not_lose_each_others_lines(
    anywhere: Settings, large: None
) -> None:
    names = ["one", "two", "three", "four"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: publish_sample(anywhere, name=name), names))
    assert set(read_index(staging(anywhere)).lines) == set(names)
    assert set(served(anywhere)) == set(names)


def test_of_two_movers_of_one_alias_the_last_one_writes_the_line(anywhere: Settings) -> None:
    targets = [publish_sample(anywhere, version).target for version in ("1.0.0", "1.1.0", "1.2.0")]
    stage = staging(anywhere)

    def move(number: int) -> None:
        alias = single_target(targets[number % 3])
        move_alias(stage, "m", alias, "alias", DEV)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(move, range(8)))
    stored = entry(anywhere, "m")
    assert not stored.moving
    # two events may be in the other order than their moves: then there is no line to rely on
    assert stored.line == read_line(stage, "m")


def test_while_another_call_moves_the_alias_there_is_no_line(
    settings: Settings, large: None
) -> None:
    first = publish_sample(settings, "1.0.0").target
    publish_sample(settings, "1.1.0")
    stage = staging(settings)
    with Move(stage, "m") as slow:
        slow.begin()
        move_alias(stage, "m", single_target(first), "alias", DEV)  # a faster one
        assert entry(settings, "m").line is None and len(entry(settings, "m").moving) == 1
        assert served(settings) == {"m": "1.0.0"}
    assert entry(settings, "m").line == read_line(stage, "m")


@pytest.mark.parametrize("where", ["write_alias", "journal.append_event", "read_line"])
def test_a_publisher_that_is_killed_between_alias_and_index_is_seen_at_once_and_healed_later(
    settings: Settings, large: None, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    publish_sample(settings, "1.0.0")
    module = "index.move" if where == "read_line" else "alias_move"
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(
            f"slipway.catalog.{module}.{where}", mock.Mock(side_effect=KeyboardInterrupt)
        )
        publish_sample(settings, "1.1.0")
    moved = Catalog(staging(settings)).alias("m").target.startswith("m_1.1.0")
    assert moved == (where != "write_alias")
    assert served(settings) == {"m": "1.1.0" if moved else "1.0.0"}
    assert entry(settings, "m").line is None  # it may still be running
    monkeypatch.setattr("slipway.catalog.index.entry.MOVES_AT_MOST", timedelta(0))
    assert served(settings) == {"m": "1.1.0" if moved else "1.0.0"}
    if where == "journal.append_event":  # an alias without its event is looked at each time
        assert entry(settings, "m").line is None
        publish_sample(settings, "1.1.0")
    line = entry(settings, "m").line
    assert line is not None and line == read_line(staging(settings), "m")


def as_before_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls behave as those of a Slipway that does not know the index."""
    monkeypatch.setattr(Move, "begin", lambda self: None)


def test_a_move_by_a_slipway_that_does_not_know_the_index_is_seen_said_and_healed(
    settings: Settings,
    large: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("m", "n"):
        publish_sample(settings, name=name)
    with monkeypatch.context() as old:
        as_before_the_index(old)
        publish_sample(settings, "1.1.0")
        publish_sample(settings, name="new")
    monkeypatch.chdir(settings.root)
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert "the index was wrong about 1 of the models, so all was compared" in said
    assert "1.1.0" in said and "new" in said
    assert served(settings) == {"m": "1.1.0", "n": "1.0.0", "new": "1.0.0"}
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert "was wrong" not in said and "by the index, of which 3 of 3 lines were compared" in said
    assert "slipway status --check" in said


def test_what_is_compared_by_chance_may_miss_it_and_check_and_verify_do_not(
    settings: Settings, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("m", "n"):
        publish_sample(settings, name=name)
    monkeypatch.setattr(stage_view, "COMPARED", 0)
    monkeypatch.chdir(settings.root)
    for version, command in (("1.1.0", ["status", "--check"]), ("1.2.0", ["verify"])):
        with monkeypatch.context() as old:
            as_before_the_index(old)
            publish_sample(settings, version)
        assert served(settings)["m"] != version
        assert main(command) == 0
        assert served(settings)["m"] == version


def test_an_alias_that_went_there_and_back_is_seen_by_its_event(
    settings: Settings, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_sample(settings, "1.0.0")
    publish_sample(settings, "1.1.0")
    with monkeypatch.context() as old:
        as_before_the_index(old)
        for _ in range(2):
            rollback(settings, "staging", "m", "1.0.0", DEV)
            rollback(settings, "staging", "m", "1.1.0", DEV)
    [model] = load_overview(settings).models
    assert model.staging and (model.staging.version, model.staging.action) == ("1.1.0", "rollback")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"format": 2}', b"\xff", b"[" * 100_000])
def test_a_damaged_index_is_ignored_said_and_written_again(
    settings: Settings,
    large: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
) -> None:
    for name in NAMES:
        publish_sample(settings, name=name)
    expected = served(settings)
    stage, snapshot = staging(settings), keys.index_snapshot("staging")
    for key in (snapshot, keys.index_entry("staging", NAMES[0])):
        assert stage.store.swap(key, stage.store.read(key), data)
    monkeypatch.chdir(settings.root)
    assert main(["status", "--json"]) == 0
    said = capsys.readouterr()
    assert "damaged, and ignored: staging/catalog/index.json" in said.err
    shown = {model["name"]: model["staging"]["version"] for model in json.loads(said.out)}
    assert shown == expected
    assert entry(settings, NAMES[0]).line is not None
    served(settings)
    index = read_index(stage)
    assert index.damaged == () and index.outdated <= 1


def test_lines_of_another_name_and_copies_of_another_version_are_not_believed(
    settings: Settings, large: None
) -> None:
    for name in NAMES:
        publish_sample(settings, name=name)
    served(settings)
    stage = staging(settings)
    other = entry(settings, NAMES[1]).dump()
    key = keys.index_entry("staging", NAMES[0])
    assert stage.store.swap(key, stage.store.read(key), other)
    snapshot = json.loads(stage.store.read(keys.index_snapshot("staging")) or b"")
    snapshot["entries"][NAMES[2]] = ["another", snapshot["entries"][NAMES[1]][1]]
    key = keys.index_snapshot("staging")
    assert stage.store.swap(key, stage.store.read(key), json.dumps(snapshot).encode())
    assert all(
        model.staging and model.staging.alias.target.startswith(model.name)
        for model in load_overview(settings).models
    )


def test_who_may_not_write_reads_as_well(
    settings: Settings, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        as_before_the_index(old)
        for name in NAMES:
            publish_sample(settings, name=name)
    refused = mock.Mock(side_effect=AccessDenied("no", where="here", fix="ask"))
    with monkeypatch.context() as reading:
        reading.setattr(DirectoryStore, "swap", refused)
        reading.setattr(DirectoryStore, "create", refused)
        overview = load_overview(settings)
    assert len(overview.models) == 12 and overview.views["staging"].healed == 0
    assert load_overview(settings).views["staging"].healed == 12


def test_no_alias_is_moved_where_the_index_cannot_be_marked(settings: Settings) -> None:
    publish_sample(settings, "1.0.0")
    original = DirectoryStore.swap

    def swap(self: DirectoryStore, key: str, expected: bytes | None, data: bytes) -> bool:
        if key.endswith(keys.INDEX):
            raise AccessDenied("no", where=key, fix="allow s3:PutObject on the objects")
        return original(self, key, expected, data)

    with (
        mock.patch.object(DirectoryStore, "swap", swap),
        pytest.raises(SlipwayError, match="no") as caught,
    ):
        publish_sample(settings, "1.1.0")
    assert caught.value.where == "staging/catalog/m.index.json" and caught.value.fix
    assert Catalog(staging(settings)).alias("m").target.startswith("m_1.0.0")


def test_the_copies_are_written_by_one_of_some_moves(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slipway.catalog.index.move.REFRESHED_BY", 1)
    for name in NAMES:
        publish_sample(settings, name=name)
    index = read_index(staging(settings))
    assert index.snapshot is not None and index.outdated == len(NAMES) - 9
    assert not refresh_snapshot(staging(settings), index)


def test_to_a_slipway_that_does_not_know_it_the_index_is_no_model(settings: Settings) -> None:
    publish_sample(settings)
    stage = staging(settings)
    assert refresh_snapshot(stage) is False
    assert stage.store.create(keys.index_snapshot("staging"), b"{}")
    prefix = keys.catalog("staging")
    # as CatalogReader.names and Listing were before
    paths = [key.removeprefix(prefix) for key in stage.store.keys(prefix)]
    assert "m.index.json" in paths
    assert {name for name, slash, _ in (path.partition("/") for path in paths) if slash} == {"m"}
