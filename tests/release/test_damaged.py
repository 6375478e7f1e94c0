"""Damaged documents of the catalog: the commands that mend them work exactly then."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from slipway.catalog import journal, keys
from slipway.catalog.alias import DamagedAlias
from slipway.catalog.catalog import Catalog
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.release.promote import promote
from slipway.release.rollback import rollback
from slipway.release.status import load_status
from slipway.settings import Settings
from slipway.store.open import open_stage
from tests.release.sample_releases import DEV, create_repository, promote_samples, publish_sample

ALIAS = keys.alias("production", "m")
DAMAGE = {
    "empty": b"",
    "cut off": b'{"target": "m_1.0',
    "null": b"null",
    "a list": b"[]",
    "no target": b'{"target": null}',
    "a number": b'{"target": 1}',
    "no variant": b'{"variants": []}',
    "a weight of 0": b'{"variants": [{"target": "m_1.0.0.tar.gz", "weight": 0}]}',
    "twice": b'{"variants": [{"target": "a", "weight": 1}, {"target": "a", "weight": 1}]}',
    "zeros": bytes(300),
    "not UTF-8": b"\xff\xfe",
    "deep": b"[" * 100_000,
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A name whose production serves 1.1.0, and served 1.0.0 before."""
    made = create_repository(tmp_path / "repository")
    promote_samples(made, "1.0.0", "1.1.0")
    monkeypatch.chdir(made.root)
    return made


def write(settings: Settings, key: str, data: bytes) -> None:
    (settings.root / "store" / key).write_bytes(data)


def served(settings: Settings) -> str:
    return str(Catalog(open_stage(settings, "production")).alias("m"))


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_each_fix_that_is_printed_for_a_damaged_alias_works(
    settings: Settings, damage: bytes
) -> None:
    write(settings, ALIAS, damage)
    with pytest.raises(DamagedAlias, match="the alias is damaged") as caught:
        promote(settings, "m", "1.1.0", DEV)
    assert caught.value.where == ALIAS
    [discrepancy] = [one for model in load_status(settings) for one in model.discrepancies]
    assert discrepancy.what == "damaged" and str(caught.value.fix) in discrepancy.fix
    first, second = str(caught.value.fix).split("; ")
    for fix, release in ((first, "m_1.1.0.tar.gz"), (second, "m_1.0.0.tar.gz")):
        write(settings, ALIAS, damage)
        words = shlex.split(fix.replace("RELEASE", release).replace(" another", ""))
        assert words[0] == "slipway"
        assert main(words[1 : words.index("production") + 1]) == 0
        assert served(settings) == release
    assert [one for model in load_status(settings) for one in model.discrepancies] == []
    events = journal.load_events(open_stage(settings, "production"), "m")
    moves = [(event.action, event.before, event.target) for event in events[:1]]
    assert moves == [("alias", "m_1.1.0.tar.gz", "m_1.0.0.tar.gz")]


def test_a_damaged_alias_is_rolled_back_to_a_release_by_name(settings: Settings) -> None:
    write(settings, ALIAS, b"{")
    assert rollback(settings, "production", "m", "1.0.0", DEV, "damaged").moved
    assert served(settings) == "m_1.0.0.tar.gz"


def test_the_next_push_replaces_a_damaged_alias_of_staging(settings: Settings) -> None:
    write(settings, keys.alias("staging", "m"), b"{")
    made = publish_sample(settings, "1.2.0")
    assert str(Catalog(open_stage(settings, "staging")).alias("m")) == made.target


def test_a_rollback_passes_over_damaged_events_and_records(settings: Settings) -> None:
    promote_samples(settings, "1.2.0")
    store = open_stage(settings, "production").store
    newest = store.keys(keys.history("production", "m"))[-1]
    write(settings, newest, b"{")
    write(settings, ALIAS, b"{")
    # what its event says is not readable: the one before it was served last, as far as is known
    assert rollback(settings, "production", "m", None, DEV).target == "m_1.1.0.tar.gz"
    write(settings, ALIAS, b"{")
    write(settings, keys.record("production", "m", "m_1.1.0.tar.gz"), b"{")
    assert rollback(settings, "production", "m", None, DEV).target == "m_1.0.0.tar.gz"


def test_where_no_event_is_readable_the_rollback_asks_for_a_release(settings: Settings) -> None:
    store = open_stage(settings, "production").store
    for key in store.keys(keys.history("production", "m")):
        write(settings, key, b"{")
    write(settings, ALIAS, b"{")
    with pytest.raises(SlipwayError, match="served before its alias was damaged") as caught:
        rollback(settings, "production", "m", None, DEV)
    assert caught.value.fix == "say which: slipway rollback m m_1.1.0.tar.gz"
    assert rollback(settings, "production", "m", "m_1.1.0.tar.gz", DEV).moved


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_records_and_events_are_errors_that_name_their_key(
    settings: Settings, damage: bytes
) -> None:
    record = keys.record("production", "m", "m_1.1.0.tar.gz")
    write(settings, record, damage)
    production = open_stage(settings, "production")
    with pytest.raises(SlipwayError, match="the record of a release is damaged") as caught:
        Catalog(production).record("m", "m_1.1.0.tar.gz")
    assert caught.value.where == record
    event = production.store.keys(keys.history("production", "m"))[-1]
    write(settings, event, damage)
    with pytest.raises(SlipwayError, match="an event is damaged") as caught:
        journal.load_events(production, "m")
    assert caught.value.where == event
