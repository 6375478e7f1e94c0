"""Pruning removes what nothing names and no rollback needs, and its versions stay taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.artifact.artifact import Artifact
from slipway.catalog import alias as aliases
from slipway.catalog import journal, keys, tombstone
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.errors import SlipwayError
from slipway.release import prune
from slipway.release.promote import promote
from slipway.release.publish import publish
from slipway.release.rollback import rollback
from slipway.release.status import load_status
from slipway.settings import Settings
from slipway.settings.release import StageName
from slipway.store.directory import DirectoryStore
from slipway.store.open import open_stage
from slipway.store.stage import StageStore
from tests.release import sample_releases
from tests.release.sample_releases import DEV, create_repository, promote_samples, publish_sample

TARGETS = [f"m_1.{minor}.0.tar.gz" for minor in range(8)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Eight releases, of which production serves the newest."""
    made = create_repository(tmp_path / "repository")
    promote_samples(made, *(f"1.{minor}.0" for minor in range(8)))
    return made


def store(settings: Settings, stage: StageName = "production") -> StageStore:
    return open_stage(settings, stage)


def run(settings: Settings, keep: int = 2, stage: StageName = "production") -> list[str]:
    candidates = prune.candidates(settings, [], keep, [stage])
    return sorted(release.target for release in candidates if prune.prune(settings, release, DEV))


def left(settings: Settings, stage: StageName = "production") -> list[str]:
    prefix = keys.models(stage)
    return [key.removeprefix(prefix) for key in store(settings, stage).store.keys(prefix)]


def test_the_newest_stay_and_the_others_go(settings: Settings) -> None:
    candidates = prune.candidates(settings, ["m"], 2, ["production"])
    assert left(settings) == TARGETS  # asking removes nothing
    assert sum(release.size for release in candidates) > 0
    assert run(settings) == TARGETS[:6]
    assert left(settings) == TARGETS[6:] == Catalog(store(settings)).targets("m")
    assert not run(settings)
    events = journal.load_events(store(settings), "m")
    assert sorted(e.target for e in events if e.action == "prune") == TARGETS[:6]


def test_what_an_alias_names_stays_its_shadow_too(settings: Settings) -> None:
    split = Alias((Variant(TARGETS[0], 90), Variant(TARGETS[1], 10)), shadow=TARGETS[2])
    move_alias(store(settings), "m", split, "alias", DEV)
    run(settings, 1)
    assert left(settings) == [*TARGETS[:3], TARGETS[7]]


def test_what_a_rollback_leads_to_stays(settings: Settings) -> None:
    rollback(settings, "production", "m", "1.1.0", DEV)
    run(settings, 1)
    assert left(settings) == [TARGETS[0], TARGETS[1], TARGETS[7]]
    assert rollback(settings, "production", "m", None, DEV).target == TARGETS[0]


def test_staging_keeps_the_bytes_that_production_serves(settings: Settings) -> None:
    rollback(settings, "production", "m", "1.1.0", DEV)
    gone = run(settings, 1, "staging")
    assert not any("_1.1.0-rc" in target for target in gone) and len(gone) == 5
    store(settings).store.delete(keys.artifact("production", TARGETS[1]))
    promote(settings, "m", "1.1.0", DEV)
    assert TARGETS[1] in left(settings)


def test_a_version_that_was_pruned_is_never_given_to_other_bytes(settings: Settings) -> None:
    run(settings)
    other = sample_releases.write_artifact(settings.root / "dist", version="1.1.0", code="A = 2\n")
    with pytest.raises(SlipwayError, match="which were pruned") as caught:
        publish(Artifact(other), store(settings))
    assert caught.value.fix == "write 1.1.1 into it: slipway bump m"
    assert not store(settings).store.stat(keys.artifact("production", TARGETS[1]))


def test_the_same_bytes_may_come_back(settings: Settings) -> None:
    run(settings)
    assert TARGETS[1] in Catalog(store(settings)).pruned_targets("m")
    promote(settings, "m", "1.1.0", DEV)
    assert TARGETS[1] in left(settings)
    assert TARGETS[1] not in Catalog(store(settings)).pruned_targets("m")
    assert rollback(settings, "production", "m", "1.1.0", DEV).moved


def test_selecting_a_pruned_release_says_that_it_was_pruned(settings: Settings) -> None:
    run(settings)
    for ask in (
        lambda: rollback(settings, "production", "m", "1.1.0", DEV),
        lambda: Catalog(store(settings)).record("m", TARGETS[1]),
    ):
        with pytest.raises(SlipwayError, match="was pruned from production") as caught:
            ask()
        assert caught.value.fix and TARGETS[7] in caught.value.fix


class CutOff(DirectoryStore):
    """A folder whose writer dies at the change that is counted down to."""

    left = 0

    def _count(self) -> None:
        type(self).left -= 1
        if type(self).left < 0:
            raise KeyboardInterrupt

    def create(self, key: str, data: bytes) -> bool:
        self._count()
        return super().create(key, data)

    def delete(self, key: str) -> bool:
        self._count()
        return super().delete(key)

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        self._count()
        return super().swap(key, expected, data)


@pytest.mark.parametrize("changes", range(6))
def test_cut_off_anywhere_it_is_completed_by_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    [*_, old] = prune.candidates(settings, ["m"], 2, ["production"])
    with monkeypatch.context() as cut:
        cut.setattr("slipway.store.open.DirectoryStore", CutOff)
        CutOff.left = changes
        with pytest.raises(KeyboardInterrupt):
            prune.prune(settings, old, DEV)
    # whatever is listed has its artifact, and what is half removed is said to be
    listed = Catalog(store(settings)).targets("m")
    assert all(store(settings).store.stat(keys.artifact("production", target)) for target in listed)
    discrepancies = [
        release.what for model in load_status(settings) for release in model.discrepancies
    ]
    assert discrepancies == (["pruning was cut off"] if changes == 3 else [])
    run(settings)
    assert left(settings) == TARGETS[6:]
    assert not [release for model in load_status(settings) for release in model.discrepancies]
    mark = tombstone.load_tombstone(store(settings), "m", old.target)
    assert mark is not None and mark.finished


def test_what_is_half_removed_is_neither_served_nor_published(settings: Settings) -> None:
    record = Catalog(store(settings)).record("m", TARGETS[1])
    assert tombstone.mark(store(settings), record)
    with pytest.raises(SlipwayError, match="was pruned"):
        aliases.write_alias(store(settings), "m", aliases.single_target(TARGETS[1]))
    with pytest.raises(SlipwayError, match="its artifact is gone"):
        rollback(settings, "production", "m", "1.1.0", DEV)
    store(settings).store.delete(keys.artifact("production", TARGETS[1]))
    with pytest.raises(SlipwayError, match="is being pruned") as caught:
        promote(settings, "m", "1.1.0", DEV)
    assert caught.value.fix and "slipway prune m --stage production" in caught.value.fix


def test_an_alias_that_moves_to_it_meanwhile_saves_a_release(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = prune.candidates(settings, ["m"], 2, ["production"])
    [old] = [release for release in candidates if release.target == TARGETS[1]]

    class Rival(DirectoryStore):
        """Another one serves the release right before it is marked."""

        def create(self, key: str, data: bytes) -> bool:
            if "/pruned/" in key:
                plain = DirectoryStore(self.root)
                move_alias(
                    StageStore(plain, "production"),
                    "m",
                    aliases.single_target(TARGETS[1]),
                    "alias",
                    DEV,
                )
            return super().create(key, data)

    with monkeypatch.context() as rival:
        rival.setattr("slipway.store.open.DirectoryStore", Rival)
        assert not prune.prune(settings, old, DEV)
    assert TARGETS[1] in left(settings)
    assert Catalog(store(settings)).pruned_targets("m") == []


def test_an_alias_that_moved_to_what_is_being_removed_moves_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Catalog(store(settings)).record("m", TARGETS[1])

    class Rival(DirectoryStore):
        """Another one marks the release right before the alias moves to it."""

        def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
            if b"m_1.1.0" in data:
                tombstone.mark(StageStore(DirectoryStore(self.root), "production"), record)
            return super().swap(key, expected, data)

    rival = Rival(settings.root / "store")
    with pytest.raises(SlipwayError, match="was pruned"):
        move_alias(
            StageStore(rival, "production"), "m", aliases.single_target(TARGETS[1]), "alias", DEV
        )
    assert Catalog(store(settings)).alias("m") == aliases.single_target(TARGETS[7])


def test_a_name_without_releases_is_an_error(settings: Settings) -> None:
    with pytest.raises(SlipwayError, match="no release of 'n'"):
        prune.candidates(settings, ["n"])


def test_other_names_are_left_alone(settings: Settings) -> None:
    promote_samples(settings, *(f"2.{minor}.0" for minor in range(8)), name="m_other")
    for release in prune.candidates(settings, ["m"], 1):
        assert release.name == "m" and prune.prune(settings, release, DEV)
    assert len(list(store(settings).store.keys("production/models/m_other_"))) == 8


def test_pushes_of_staging_go_once_there_are_newer_ones(tmp_path: Path) -> None:
    settings = create_repository(tmp_path)
    pushed = [publish_sample(settings, code=f"A = {number}\n").target for number in range(4)]
    assert run(settings, 2, "staging") == sorted(pushed[:2])
