"""Whatever is published, promoted, rolled back, split and pruned, in any order: laws that hold."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from slipway.artifact.artifact import Artifact
from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.errors import SlipwayError
from slipway.release import prune
from slipway.release.metadata import ReleaseMetadata
from slipway.release.promote import promote
from slipway.release.publish import publish
from slipway.release.rollback import rollback
from slipway.release.status import load_status
from slipway.settings.release import STAGES, StageName
from slipway.store.open import open_stage
from tests.release import sample_releases
from tests.release.sample_releases import DEV, create_repository

VERSIONS = st.sampled_from(["1.0.0", "1.0.1", "1.1.0", "2.0.0"])
ANY_STAGE = st.sampled_from(STAGES)
NUMBERS = st.integers(0, 9)


class Releases(RuleBasedStateMachine):
    """Stands for the people and pipelines of one model. Refusals are part of the game."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="slipway-laws-")
        self.settings = create_repository(Path(self.folder.name))
        self.artifacts: dict[tuple[str, int], Path] = {}
        self.given: dict[tuple[StageName, str], str] = {}  # a target model's digest, for ever
        self.aliases: dict[StageName, Alias | None] = dict.fromkeys(STAGES)

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(version=VERSIONS, content=st.integers(0, 2), tested=st.booleans(), stage=ANY_STAGE)
    def publish(self, version: str, content: int, tested: bool, stage: StageName) -> None:
        path = self._artifact(version, content)
        told = ReleaseMetadata(
            DEV, {"tests": sample_releases.tests_evidence(path, failures=int(not tested))}
        )
        store = open_stage(self.settings, stage)
        self._twice(lambda: publish(Artifact(path), store, metadata=told))

    @rule(place=NUMBERS)
    def promote(self, place: int) -> None:
        pushed = Catalog(open_stage(self.settings, "staging")).targets("m")
        if pushed:
            target = pushed[place % len(pushed)]
            self._twice(lambda: promote(self.settings, "m", target, DEV))

    @rule(stage=ANY_STAGE)
    def roll_back(self, stage: StageName) -> None:
        with contextlib.suppress(SlipwayError):
            rollback(self.settings, stage, "m", None, DEV)

    @rule(stage=ANY_STAGE, place=NUMBERS)
    def roll_back_to(self, stage: StageName, place: int) -> None:
        known = self._catalog(stage).targets("m")
        if known:
            to = known[place % len(known)]
            self._twice(lambda: rollback(self.settings, stage, "m", to, DEV))
            assert self._catalog(stage).alias("m").targets == (to,)

    @rule(stage=ANY_STAGE, places=st.lists(NUMBERS, min_size=1, max_size=3))
    def split(self, stage: StageName, places: list[int]) -> None:
        known = self._catalog(stage).targets("m")
        if known:
            chosen = dict.fromkeys(known[place % len(known)] for place in places)
            alias = Alias(tuple(Variant(target, 1 + n) for n, target in enumerate(chosen)))
            store = open_stage(self.settings, stage)
            self._twice(lambda: move_alias(store, "m", alias, "alias", DEV))

    @rule(keep=st.integers(1, 3), stage=ANY_STAGE)
    def prune(self, keep: int, stage: StageName) -> None:
        def every() -> None:
            for old in prune.candidates(self.settings, [], keep, [stage]):
                assert prune.prune(self.settings, old, DEV)

        self._twice(every)
        assert len(self._catalog(stage).targets("m")) <= len(self._line(stage)) + 3 + keep

    @invariant()
    def a_target_model_is_one_content_for_ever(self) -> None:
        for stage in STAGES:
            store = open_stage(self.settings, stage)
            for key in store.store.keys(keys.models(stage)):
                digest = store.store.digest(key)
                assert digest is not None
                target = key.removeprefix(keys.models(stage))
                assert self.given.setdefault((stage, target), digest) == digest

    @invariant()
    def an_alias_names_complete_releases(self) -> None:
        for stage in STAGES:
            catalog = self._catalog(stage)
            alias = catalog.find_alias("m")
            for target in () if alias is None else alias.targets:
                key = keys.artifact(stage, target)
                assert catalog.source.store.stat(key) is not None
                stored = (self.settings.root / "store" / key).read_bytes()
                record = catalog.record("m", target)
                assert hashlib.sha256(stored).hexdigest() == record.sha256

    @invariant()
    def every_move_of_an_alias_is_in_the_journal(self) -> None:
        for stage in STAGES:
            now = self._catalog(stage).find_alias("m")
            events = journal.load_events(open_stage(self.settings, stage), "m")
            moves = [event for event in events if event.now is not None]
            if now != self.aliases[stage]:
                assert (moves[0].now, moves[0].was) == (now, self.aliases[stage])
            assert (moves[0].now if moves else None) == now
            # each began where the one before it had ended
            ends = [event.now for event in reversed(moves)]
            assert [event.was for event in reversed(moves)] == [None, *ends][: len(moves)]
            self.aliases[stage] = now

    @invariant()
    def catalog_and_bucket_agree(self) -> None:
        assert [one for model in load_status(self.settings) for one in model.discrepancies] == []

    def _twice(self, do: object) -> None:
        """What is done again right away is refused again, or changes nothing."""
        assert callable(do)
        try:
            do()
            refused = False
        except SlipwayError:
            refused = True
        before = self._everything()
        try:
            do()
            assert not refused
        except SlipwayError:
            assert refused
        assert self._everything() == before

    def _everything(self) -> dict[str, bytes]:
        root = self.settings.root / "store"
        files = [path for path in root.rglob("*") if path.is_file() and ".lock" not in path.name]
        return {str(path): path.read_bytes() for path in files}

    def _artifact(self, version: str, content: int) -> Path:
        if (version, content) not in self.artifacts:
            folder = self.settings.root / f"dist{content}"
            made = sample_releases.write_artifact(folder, version=version, code=f"A = {content}\n")
            self.artifacts[version, content] = made
        return self.artifacts[version, content]

    def _catalog(self, stage: StageName) -> Catalog:
        return Catalog(open_stage(self.settings, stage))

    def _line(self, stage: StageName) -> list[Alias]:
        events = journal.load_events(open_stage(self.settings, stage), "m")
        return journal.lineage(events, self._catalog(stage).find_alias("m"))


Releases.TestCase.settings = hypothesis_settings(
    max_examples=25, stateful_step_count=14, deadline=None
)
TestReleases = Releases.TestCase
