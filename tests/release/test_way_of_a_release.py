"""The whole way of a release, in a folder and in S3 alike."""

from __future__ import annotations

import contextlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import pytest

from slipway import settings as configuration
from slipway.artifact.artifact import Artifact
from slipway.catalog import journal, keys
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.release import prune
from slipway.release.compare import compare
from slipway.release.history import load_history
from slipway.release.metadata import ReleaseMetadata
from slipway.release.promote import promote
from slipway.release.publish import publish
from slipway.release.rollback import rollback
from slipway.release.status import load_status
from slipway.release.verify import select_releases, verify
from slipway.settings import Settings
from slipway.store.directory import DirectoryStore
from slipway.store.interface import Progress
from slipway.store.open import open_stage
from slipway.store.stage import StageStore
from tests.release import sample_releases
from tests.release.sample_releases import publish_sample
from tests.store.readable_stores import ReadableStore

DEV = Origin("c0ffee", None, "dev")


@pytest.fixture
def settings(readable_store: ReadableStore, tmp_path: Path) -> Settings:
    root = tmp_path / "repository"
    root.mkdir()
    (root / "slipway.toml").write_text(f'[release]\nstore = "{readable_store.location}"\n')
    return configuration.load(root)


def test_publish_promote_roll_back_prune_and_verify(settings: Settings) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        publish_sample(
            settings, version, metadata=ReleaseMetadata(DEV, changes=(f"c0ffee0 {version}",))
        )
        assert promote(settings, "m", None, DEV).moved
    assert compare(settings, "m", "staging", "production").changes == ()
    assert rollback(settings, "production", "m", None, DEV, "worse").target == "m_1.1.0.tar.gz"
    assert not promote(settings, "m", "1.2.0", DEV).moved
    old = prune.candidates(settings, [], 1, ["production"])
    assert old == []  # 1.2.0 is the newest, 1.1.0 is served, 1.0.0 was before
    rollback(settings, "production", "m", "1.2.0", DEV)
    [old_one] = prune.candidates(settings, [], 1, ["production"])
    assert prune.prune(settings, old_one, DEV) and old_one.target == "m_1.0.0.tar.gz"
    [model] = load_status(settings)
    assert not model.discrepancies and model.releases == {"staging": 3, "production": 2}
    asked = select_releases(settings, None, None, all_=True).releases
    assert [verify(settings, one).problems for one in asked] == [()] * 5
    entries = load_history(settings, "m", ["production"])
    assert [entry.event.action for entry in entries] == [
        "prune", "rollback", "rollback", "promote", "promote", "promote",
    ]  # fmt: skip
    gone = entries[-1].record  # it was pruned, and is known
    assert gone is not None and gone.changes == ("c0ffee0 1.0.0",)


def test_of_publishers_of_one_version_at_once_exactly_one_wins_and_the_others_learn_who(
    settings: Settings,
) -> None:
    made = [
        sample_releases.write_artifact(settings.root / f"dist{number}", code=f"A = {number}\n")
        for number in range(4)
    ]

    def attempt(number: int) -> str | SlipwayError:
        told = ReleaseMetadata(Origin(f"{number}" * 40, None, f"dev{number}"))
        store = open_stage(settings, "production")
        try:
            return publish(Artifact(made[number]), store, metadata=told).sha256
        except SlipwayError as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(attempt, range(4)))
    [winner] = [number for number, one in enumerate(found) if isinstance(one, str)]
    store = open_stage(settings, "production")
    assert store.store.digest("production/models/m_1.0.0.tar.gz") == sample_releases.sha256(
        made[winner]
    )
    for error in found:
        if isinstance(error, SlipwayError):
            assert "production has other bytes (sha256 " in error.what
            assert error.fix == "write 1.0.1 into it: slipway bump m"
    with pytest.raises(SlipwayError, match=f"by dev{winner}"):  # once its record is there
        publish(Artifact(made[(winner + 1) % 4]), store)
    [event] = journal.load_events(store, "m")
    assert event.origin.by == f"dev{winner}"


def test_of_one_publishing_that_runs_twice_at_once_nothing_is_doubled(settings: Settings) -> None:
    path = sample_releases.write_artifact(settings.root / "dist")

    def attempt(_: int) -> bool:
        return publish(
            Artifact(path), open_stage(settings, "staging"), metadata=ReleaseMetadata(DEV)
        ).created

    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(attempt, range(4)))
    assert created.count(True) == 1
    store = open_stage(settings, "staging")
    assert len(store.store.keys(keys.models("staging"))) == 1
    assert not [one for model in load_status(settings) for one in model.discrepancies]


def test_of_promotions_of_one_version_at_once_exactly_one_wins(settings: Settings) -> None:
    """A copy within S3 is an upload of parts, whose last condition SeaweedFS 4.48 checks in another
    step than it writes."""
    sources = [publish_sample(settings, code=f"A = {number}\n") for number in range(4)]

    def attempt(target: str) -> str | SlipwayError:
        try:
            return promote(settings, "m", target, DEV).sha256
        except SlipwayError as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(attempt, [source.target for source in sources]))
    [winner] = [one for one in found if isinstance(one, str)]
    store = open_stage(settings, "production")
    assert store.store.digest("production/models/m_1.0.0.tar.gz") == winner
    for error in found:
        if isinstance(error, SlipwayError):
            assert "production has other bytes" in error.what
            assert error.fix == "write 1.0.1 into it: slipway bump m"


class TwoSteps(DirectoryStore):
    """A store that looks whether an artifact exists, lets others look, and then writes."""

    rivals: ClassVar[threading.Barrier]

    def create_file(
        self, key: str, source: Path, sha256: str, progress: Progress | None = None
    ) -> bool:
        if self.stat(key) is not None:
            return False
        with contextlib.suppress(threading.BrokenBarrierError):
            self.rivals.wait(2)  # a rival whom the claim stops never comes
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        return True


def test_in_a_store_that_looks_and_writes_in_two_steps_exactly_one_wins(tmp_path: Path) -> None:
    TwoSteps.rivals = threading.Barrier(2)
    made = [
        Artifact(sample_releases.write_artifact(tmp_path / f"dist{number}", code=f"A = {number}\n"))
        for number in range(2)
    ]

    def attempt(artifact: Artifact) -> str | None:
        try:
            return publish(artifact, StageStore(TwoSteps(tmp_path / "s"), "production")).sha256
        except SlipwayError as error:
            assert "are being published, or were not completed" in error.what
            return None

    with ThreadPoolExecutor(2) as pool:
        [winner] = filter(None, pool.map(attempt, made))
    assert TwoSteps(tmp_path / "s").digest("production/models/m_1.0.0.tar.gz") == winner


def test_a_version_that_was_claimed_and_never_completed_is_free_after_a_day(
    settings: Settings,
) -> None:
    """Until then its claimant may be sending; the same bytes complete it at any time."""
    store = open_stage(settings, "production")
    path = sample_releases.write_artifact(settings.root / "dist")
    publish(Artifact(path), store, metadata=ReleaseMetadata(DEV))
    for key in store.store.keys(""):
        if "/claims/" not in key:
            assert store.store.delete(key)
    other = Artifact(sample_releases.write_artifact(settings.root / "dist2", code="A = 1\n"))
    with pytest.raises(SlipwayError, match="are being published, or were not completed") as caught:
        publish(other, store)
    assert caught.value.fix == "write 1.0.1 into it: slipway bump m"
    assert publish(Artifact(path), store).created
    store.store.delete("production/models/m_1.0.0.tar.gz")
    key = keys.claim("production", "m", "m_1.0.0.tar.gz")
    claim = store.store.read(key) or b""
    old = re.sub(rb'"published": "[0-9-]+', b'"published": "2026-01-01', claim)
    for damaged in (old, b"{"):
        assert store.store.swap(key, store.store.read(key), damaged)
        store.store.delete(keys.record("production", "m", "m_1.0.0.tar.gz"))
        assert publish(other, store).created
        assert store.store.delete("production/models/m_1.0.0.tar.gz")
