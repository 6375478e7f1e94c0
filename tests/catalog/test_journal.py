"""The journal: an event for each move, in their order, never changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slipway.catalog import alias as aliases
from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.journal import JournalEvent
from slipway.errors import SlipwayError
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.release.sample_releases import DEV

A, B, C = (aliases.single_target(f"m_{number}.0.0.tar.gz") for number in (1, 2, 3))
SPLIT = Alias((Variant("m_1.0.0.tar.gz", 90), Variant("m_2.0.0.tar.gz", 10)), "m_3.0.0.tar.gz")


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    made = DirectoryStore(tmp_path)
    for alias in (A, B, C):
        made.create(keys.record("staging", "m", alias.target), b"{}")
    return made


def event(
    before: Alias | None, now: Alias | None, action: journal.Action = "publish"
) -> JournalEvent:
    return JournalEvent(action, str(now), None, "2026-01-01T00:00:00Z", DEV, None, now, before)


def test_an_event_is_read_as_it_was_written(store: DirectoryStore) -> None:
    move_alias(StageStore(store, "staging"), "m", A, "publish", DEV)
    move_alias(StageStore(store, "staging"), "m", SPLIT, "alias", DEV, "a tenth first")
    newest, oldest = journal.load_events(StageStore(store, "staging"), "m")
    assert (newest.now, newest.was, newest.reason) == (SPLIT, A, "a tenth first")
    assert (newest.target, newest.before) == (str(SPLIT), str(A))
    assert (oldest.now, oldest.was, oldest.before, oldest.origin) == (A, None, None, DEV)
    assert oldest.when < newest.when


def test_a_move_that_is_done_again_is_written_once(store: DirectoryStore) -> None:
    for _ in range(3):
        move_alias(StageStore(store, "staging"), "m", A, "publish", DEV)
    assert len(journal.load_events(StageStore(store, "staging"), "m")) == 1


def test_an_event_that_was_cut_off_is_written_by_the_next(store: DirectoryStore) -> None:
    move_alias(StageStore(store, "staging"), "m", A, "publish", DEV)
    aliases.write_alias(StageStore(store, "staging"), "m", B)
    move_alias(StageStore(store, "staging"), "m", B, "publish", DEV)
    newest, _ = journal.load_events(StageStore(store, "staging"), "m")
    assert (newest.now, newest.was) == (B, A)


def test_a_clock_that_is_behind_does_not_change_the_order(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(["2026-01-02T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z"])
    monkeypatch.setattr(journal, "now", lambda: next(times))
    move_alias(StageStore(store, "staging"), "m", A, "publish", DEV)
    move_alias(StageStore(store, "staging"), "m", B, "publish", DEV)
    newest, oldest = journal.load_events(StageStore(store, "staging"), "m")
    assert (newest.now, oldest.now) == (B, A)
    assert newest.when == "2026-01-01T00:00:00.000000Z"  # what its clock said


def test_many_movers_at_once_lose_no_event(store: DirectoryStore) -> None:
    splits = [
        Alias((Variant(A.target, weight), Variant(B.target, 100 - weight)))
        for weight in range(1, 25)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda a: move_alias(StageStore(store, "staging"), "m", a, "alias", DEV), splits
            )
        )
    written = [event.now for event in journal.load_events(StageStore(store, "staging"), "m")]
    assert len(written) == len(splits) and all(split in written for split in splits)


def test_the_line_leads_past_what_was_rolled_back_from() -> None:
    events = [event(None, A), event(A, B), event(B, A, "rollback"), event(A, C)]
    assert journal.lineage(events[::-1], C) == [A, C]
    assert journal.lineage(events[2::-1], A) == [A]


def test_the_line_ends_with_what_is_served_now() -> None:
    # the events of two who moved at once, A to B and B to C, written the other way round
    events = [event(None, A), event(B, C), event(A, B)]
    assert journal.lineage(events[::-1], C)[-1] == C
    assert journal.lineage([], B) == [B]
    assert journal.lineage([event(None, A)], None) == [A]


def test_what_served_before_the_journal_is_on_the_line() -> None:
    assert journal.lineage([event(A, B)], B) == [A, B]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"origin": {}}', b'{"origin": 3}', b"\xff"])
def test_a_damaged_event_is_named(store: DirectoryStore, data: bytes) -> None:
    store.create("staging/catalog/m/history/2026-x.json", data)
    with pytest.raises(SlipwayError, match="an event is damaged") as caught:
        journal.load_events(StageStore(store, "staging"), "m")
    assert caught.value.where == "staging/catalog/m/history/2026-x.json"
