"""Whoever is interrupted wherever: what the index says is what reading everything says."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from slipway.artifact.artifact import Artifact
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.errors import SlipwayError
from slipway.release import prune
from slipway.release.metadata import ReleaseMetadata
from slipway.release.overview import stage_view
from slipway.release.promote import promote
from slipway.release.publish import publish
from slipway.release.retire import retire
from slipway.release.rollback import rollback
from slipway.release.status import ModelStatus, load_overview, load_status
from slipway.settings.release import STAGES, StageName
from slipway.store.directory import DirectoryStore
from slipway.store.open import open_stage
from tests.release import sample_releases
from tests.release.sample_releases import DEV, create_repository

ANY_STAGE = st.sampled_from(STAGES)
NAMES = st.sampled_from(["m", "m_x"])
NUMBERS = st.integers(0, 5)
# at which write a call is killed, and whether that write is done; 0: it is not
KILLED = st.tuples(st.sampled_from([0, 0, *range(1, 15)]), st.booleans())
WRITES = ("create", "create_file", "copy", "swap", "delete", "delete_unchanged")

type Shown = list[tuple[Any, ...]]


class Models(RuleBasedStateMachine):
    """Stands for the pipelines and people of two models, each of which may be killed."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="slipway-index-")
        self.settings = create_repository(Path(self.folder.name))

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(name=NAMES, number=NUMBERS, clean=st.booleans(), stage=ANY_STAGE, killed=KILLED)
    def publish(
        self, name: str, number: int, clean: bool, stage: StageName, killed: tuple[int, bool]
    ) -> None:
        path = sample_releases.write_artifact(
            self.settings.root / "dist", name, f"1.{number}.0", code=f"A = {number}\n"
        )
        origin = DEV if clean else type(DEV)(f"{DEV.commit}-dirty", None, "dev")
        metadata = ReleaseMetadata(origin, {"tests": sample_releases.tests_evidence(path)})
        store = open_stage(self.settings, stage)
        self._call(killed, lambda: publish(Artifact(path), store, metadata=metadata))

    @rule(name=NAMES, killed=KILLED)
    def promote(self, name: str, killed: tuple[int, bool]) -> None:
        self._call(killed, lambda: promote(self.settings, name, None, DEV))

    @rule(name=NAMES, stage=ANY_STAGE, killed=KILLED)
    def roll_back(self, name: str, stage: StageName, killed: tuple[int, bool]) -> None:
        self._call(killed, lambda: rollback(self.settings, stage, name, None, DEV))

    @rule(name=NAMES, stage=ANY_STAGE, killed=KILLED)
    def retire(self, name: str, stage: StageName, killed: tuple[int, bool]) -> None:
        self._call(killed, lambda: retire(self.settings, stage, name, DEV))

    @rule(name=NAMES, stage=ANY_STAGE, places=st.lists(NUMBERS, min_size=1), killed=KILLED)
    def split(
        self, name: str, stage: StageName, places: list[int], killed: tuple[int, bool]
    ) -> None:
        store = open_stage(self.settings, stage)
        known = Catalog(store).targets(name)
        if known:
            chosen = dict.fromkeys(known[place % len(known)] for place in places)
            alias = Alias(tuple(Variant(target, 1 + n) for n, target in enumerate(chosen)))
            self._call(killed, lambda: move_alias(store, name, alias, "alias", DEV))

    @rule(stage=ANY_STAGE, killed=KILLED)
    def prune(self, stage: StageName, killed: tuple[int, bool]) -> None:
        def every() -> None:
            selected = prune.candidates(self.settings, [], 1, [stage])
            list(prune.prune_all(self.settings, selected, DEV))

        self._call(killed, every)

    @rule()
    def look_at_everything(self) -> None:
        with mock.patch("slipway.release.overview.inspection.PAUSES", ()):
            load_status(self.settings)

    @invariant()
    def the_index_says_what_is_so(self) -> None:
        assert self._by_index() == self._by_reading_everything()

    def _by_index(self) -> Shown:
        with (
            mock.patch.object(stage_view, "LISTED", -1),
            mock.patch.object(stage_view, "COMPARED", 0),
            mock.patch("slipway.release.overview.inspection.PAUSES", ()),
            mock.patch.object(stage_view, "correct_lines", lambda *_: 0),
        ):
            overview = load_overview(self.settings)
        assert not overview.is_complete
        return [_shown(model) for model in overview.models]

    def _by_reading_everything(self) -> Shown:
        """Return what is so without the index, and without the code that writes its lines."""
        with (
            mock.patch("slipway.release.overview.inspection.read_line", lambda *_: None),
            mock.patch.object(stage_view, "correct_lines", lambda *_: 0),
            mock.patch("slipway.release.overview.inspection.PAUSES", ()),
            mock.patch("slipway.catalog.index.line.Line.agrees", lambda *_, **__: False),
        ):
            return [_shown(model) for model in load_status(self.settings) if model.name]

    def _call(self, killed: tuple[int, bool], do: Callable[[], object]) -> None:
        with contextlib.suppress(SlipwayError, KeyboardInterrupt), _killed(*killed):
            do()


def _shown(model: ModelStatus) -> tuple[Any, ...]:
    return (model.name, model.staging, model.production, model.distance, dict(model.retired)) + (
        dict(model.releases),
    )


@contextlib.contextmanager
def _killed(at: int, done: bool) -> Iterator[None]:
    """Kill the process at the write number ``at``: before it, or right after it was ``done``."""
    count = 0

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def write(*words: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count == at and not done:
                raise KeyboardInterrupt
            result = original(*words, **more)
            if count >= at > 0:
                raise KeyboardInterrupt
            return result

        return write

    with contextlib.ExitStack() as stack:
        for name in WRITES:
            patched = counted(getattr(DirectoryStore, name))
            stack.enter_context(mock.patch.object(DirectoryStore, name, patched))
        yield


Models.TestCase.settings = hypothesis_settings(
    max_examples=25, stateful_step_count=12, deadline=None
)
TestModels = Models.TestCase
