"""Where candidates run, each next to the config as it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from slipway.testing.model import Model
from slipway.tune.candidate import PRECISION, Candidate
from slipway.tune.config_edit import changes_of, config_file, edit_file
from slipway.tune.load import CandidateFailed, Side
from slipway.tune.precision.lowered import Lowered


class Place(Protocol):
    """A server or an endpoint that serves an artifact as it is, and candidates next to it.

    ``name`` is the model's, ``lowered`` makes weights of another precision. ``fallbacks`` says what
    was changed because this machine has no GPU.
    """

    name: str
    lowered: Lowered | None
    fallbacks: tuple[str, ...]

    def __enter__(self) -> Self:
        """Serve the artifact as it is, until the block ends."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove all that was loaded."""
        ...

    def describe(self) -> str:
        """Return what serves, in words; equal ones may be compared with each other."""
        ...

    @property
    def baseline(self) -> Side:
        """Return the config as it is."""
        ...

    @property
    def baseline_model(self) -> Model:
        """Return the model as it is, to be called."""
        ...

    def folder(self, target: str | None = None) -> Path:
        """Return the folder of a loaded candidate, or of the artifact as it is."""
        ...

    def side(self, target: str, *, baseline: bool = False) -> Side:
        """Return where a loaded target is asked, and with what."""
        ...

    def changed[T](self, change: Callable[[Path], T]) -> AbstractContextManager[tuple[Model, T]]:
        """Load a copy of the artifact that ``change`` has changed, until the block ends; yield it
        and what ``change`` returned.

        Raises:
            CandidateFailed: it does not load.
        """
        ...

    def memory(self, target: str) -> tuple[int, int] | None:
        """Return the memory of a target's processes and of those of the config as it is, in bytes;
        ``None`` where it cannot be seen."""
        ...

    def cpu_seconds(self) -> float | None:
        """Return the processor time of the server and all its models so far, in seconds; ``None``
        where it cannot be seen."""
        ...


def loaded(place: Place, candidate: Candidate) -> AbstractContextManager[tuple[Model, None]]:
    """Load ``candidate`` at ``place`` until the block ends; see :meth:`Place.changed`."""
    return place.changed(lambda folder: _change(place, candidate, folder))


def copy_by_links(extracted: Path, folder: Path) -> None:
    """Make ``folder`` a copy of an extracted artifact, whose environment has thousands of files.

    What is changed in it has to be replaced, not written to.
    """
    folder.parent.mkdir(parents=True)
    shutil.copytree(extracted, folder, symlinks=True, copy_function=os.link)


def _change(place: Place, candidate: Candidate, folder: Path) -> None:
    for model in {change.model for change in candidate}:
        changes = changes_of(candidate, model)
        precision = changes.pop(PRECISION, None)
        if changes:
            edit_file(config_file(folder, model), changes)
        if precision is not None:
            if place.lowered is None:
                raise CandidateFailed("no weights of this precision")
            place.lowered.replace(place.folder(), folder, model, str(precision))
