"""A rollback leads back along what was served, and moves an alias only."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.catalog import alias as aliases
from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.release.rollback import Rollback, rollback
from slipway.settings import Settings
from slipway.store.directory import DirectoryStore
from slipway.store.open import open_stage
from slipway.store.stage import StageStore
from tests.release.sample_releases import DEV, create_repository, promote_samples, publish_sample

ONE, TWO, THREE = (f"m_1.{minor}.0.tar.gz" for minor in range(3))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    result = create_repository(tmp_path / "repository")
    promote_samples(result, "1.0.0", "1.1.0", "1.2.0")
    return result


def production(settings: Settings) -> StageStore:
    return open_stage(settings, "production")


def served(settings: Settings) -> Alias:
    return Catalog(production(settings)).alias("m")


def back(settings: Settings, word: str | None = None, origin: Origin = DEV) -> Rollback:
    return rollback(settings, "production", "m", word, origin)


def test_each_rollback_goes_one_release_further_back(settings: Settings) -> None:
    first = rollback(settings, "production", "m", None, DEV, "half of the answers are empty")
    assert (first.target, first.before, first.moved) == (TWO, THREE, True)
    assert back(settings).target == ONE
    with pytest.raises(SlipwayError, match="no release in production that was served before"):
        back(settings)
    assert served(settings) == aliases.single_target(ONE)
    newest, oldest = journal.load_events(production(settings), "m")[:2]
    assert (oldest.action, oldest.reason) == ("rollback", "half of the answers are empty")
    assert (newest.target, newest.before, newest.origin) == (ONE, TWO, DEV)


def test_no_artifact_is_touched(settings: Settings) -> None:
    store = production(settings)
    before = {key: store.store.stat(key) for key in store.store.keys("production/models/")}
    back(settings)
    assert {key: store.store.stat(key) for key in store.store.keys("production/models/")} == before


def test_what_it_says_undoes_it(settings: Settings) -> None:
    undo = back(settings).undo
    assert undo == f"slipway rollback m {THREE}"
    assert back(settings, THREE).moved and served(settings) == aliases.single_target(THREE)
    assert back(settings).target == TWO  # what it was undone from is where it leads again


def test_a_rollback_to_a_release_leads_on_from_there(settings: Settings) -> None:
    back(settings, "1.1.0")
    assert back(settings).target == ONE


def test_a_rollback_to_what_is_served_changes_nothing(settings: Settings) -> None:
    count = len(journal.load_events(production(settings), "m"))
    assert not back(settings, "1.2.0").moved
    assert len(journal.load_events(production(settings), "m")) == count


def test_a_job_that_is_run_again_rolls_back_once(settings: Settings) -> None:
    job = Origin("c", "https://gitlab.example.com/-/pipelines/9", "ci")
    assert back(settings, origin=job).target == TWO
    again = back(settings, origin=job)
    assert (again.target, again.moved) == (TWO, False)
    assert again.undo == f"slipway rollback m {THREE}"
    other = Origin("c", "https://gitlab.example.com/-/pipelines/10", "ci")
    assert back(settings, origin=other).target == ONE


def test_a_split_ends_and_its_undo_has_the_weights(settings: Settings) -> None:
    split = Alias((Variant(TWO, 90), Variant(THREE, 10)), shadow=ONE)
    move_alias(production(settings), "m", split, "alias", DEV)
    result = back(settings, "1.1.0")
    assert served(settings) == aliases.single_target(TWO)
    assert result.undo == f"slipway alias m {TWO}=90 {THREE}=10 --shadow {ONE} --stage production"


def test_from_a_split_it_leads_to_what_was_served_before_it(settings: Settings) -> None:
    split = Alias((Variant(TWO, 10), Variant(THREE, 90)))
    move_alias(production(settings), "m", split, "alias", DEV)
    assert back(settings).target == THREE


def test_from_what_followed_a_split_it_leads_to_the_other_part(settings: Settings) -> None:
    split = Alias((Variant(TWO, 10), Variant(THREE, 90)))
    move_alias(production(settings), "m", split, "alias", DEV)
    move_alias(production(settings), "m", aliases.single_target(THREE), "alias", DEV)
    assert back(settings).target == TWO


def test_it_works_in_staging_where_the_last_push_is_taken_back(settings: Settings) -> None:
    before = Catalog(open_stage(settings, "staging")).alias("m").target
    pushed = publish_sample(settings, "1.3.0", tested=False)
    result = rollback(settings, "staging", "m", None, DEV)
    assert (result.target, result.before) == (before, pushed.target)
    assert result.undo == f"slipway rollback m {pushed.target} --stage staging"


def test_what_is_gone_is_passed_over(settings: Settings) -> None:
    production(settings).store.delete(keys.artifact("production", TWO))
    assert back(settings).target == ONE


def test_what_was_overwritten_is_passed_over_and_refused(settings: Settings) -> None:
    path = settings.root / "store/production/models" / TWO
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(SlipwayError, match="has the SHA-256"):
        back(settings, "1.1.0")
    path.write_bytes(damaged + b"more")
    with pytest.raises(SlipwayError, match="bytes, .* were published") as caught:
        back(settings, "1.1.0")
    assert caught.value.where == f"production/models/{TWO}" and caught.value.fix
    assert served(settings) == aliases.single_target(THREE)
    assert back(settings).target == ONE


@pytest.mark.parametrize(
    ("word", "what"), [("2.0.0", "is not a release of m"), ("1.", "matches 3 releases")]
)
def test_an_unknown_release_is_refused(settings: Settings, word: str, what: str) -> None:
    with pytest.raises(SlipwayError, match=what) as caught:
        back(settings, word)
    assert caught.value.fix


def test_a_name_without_releases_is_an_error(settings: Settings) -> None:
    with pytest.raises(SlipwayError, match="no release of 'n'"):
        rollback(settings, "production", "n", None, DEV)


def test_who_moved_the_alias_meanwhile_is_not_overruled(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Rival(DirectoryStore):
        """Another one moves the alias right before the first swap."""

        moved = False

        def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
            if not Rival.moved and key.endswith("alias.json"):
                Rival.moved = True
                other = aliases.single_target(ONE).dump()
                assert super().swap(key, expected, other)
            return super().swap(key, expected, data)

    monkeypatch.setattr("slipway.store.open.DirectoryStore", Rival)
    with pytest.raises(SlipwayError, match="was moved meanwhile") as caught:
        back(settings)
    assert caught.value.fix and "slipway history m" in caught.value.fix
    assert served(settings) == aliases.single_target(ONE)


def test_a_move_without_an_event_is_led_back_over(settings: Settings) -> None:
    aliases.write_alias(production(settings), "m", aliases.single_target(ONE))
    assert back(settings).target == THREE
