"""Propose or write what was chosen: the configs, and weights in another precision."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slipway.check.fix.edits import with_newlines
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.tune.candidate import PRECISION, Candidate
from slipway.tune.config_edit import changes_of, config_file, edit_config
from slipway.tune.precision.lowered import Lowered, weights_file


@dataclass(frozen=True)
class NewText:
    """The config at ``path``, before and after."""

    path: Path
    before: str
    after: str

    def diff(self, root: Path) -> str:
        """Return a unified diff that ``git apply`` takes in the repository's ``root``."""
        name = os.path.relpath(self.path.resolve(), root.resolve())
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            f"a/{name}",
            f"b/{name}",
        )
        return "".join(with_newlines(lines))


def new_texts(folder: Path, candidate: Candidate) -> list[NewText]:
    """Return the configs of the model in ``folder`` that ``candidate`` changes.

    Raises:
        SlipwayError: one is of a form that is not changed here.
    """
    texts = []
    for model in sorted({change.model for change in candidate}):
        changes = changes_of(candidate, model)
        changes.pop(PRECISION, None)
        if changes:
            path = config_file(folder, model)
            before = _read(path)
            texts.append(NewText(path, before, edit_config(before, changes, str(path))))
    return texts


def write_configs(texts: list[NewText]) -> None:
    """Write configs, all or none.

    Raises:
        SlipwayError: one is no longer what was measured.
    """
    for text in texts:
        if _read(text.path) != text.before:
            raise SlipwayError(
                "changed since it was measured",
                where=str(text.path),
                fix="run the same command again",
            )
    for text in texts:
        with atomic_write(text.path) as temporary:
            temporary.write_bytes(text.after.encode())


@dataclass(frozen=True)
class NewWeights:
    """Weights of ``model`` in ``precision``: ``made`` is to be at ``path``."""

    model: str
    precision: str
    made: Path
    path: Path

    def write(self, kept: Path) -> Path:
        """Replace the weights, and return where the ones before are kept: below ``kept``."""
        before = kept / f"{self.model}-before{self.path.suffix}"
        with atomic_write(before) as temporary:
            shutil.copyfile(self.path, temporary)
        with atomic_write(self.path) as temporary:
            shutil.copyfile(self.made, temporary)
        return before

    def next_steps(self, root: Path) -> list[str]:
        """Return what is left to do by hand."""
        shown = os.path.relpath(self.path.resolve(), root.resolve())
        return [
            f"slipway weights add {shown}",
            f"a training that writes {self.path.name} again writes it as it was: make the"
            f" conversion to {self.precision} a stage of dvc.yaml, or run slipway tune after it",
        ]


def new_weights(
    folder: Path, extracted: Path, candidate: Candidate, lowered: Lowered
) -> Iterator[NewWeights]:
    """Yield the weights that ``candidate`` changes; ``extracted`` is the artifact as it is."""
    for change in candidate:
        if change.name == PRECISION:
            source = weights_file(extracted, change.model)
            made = lowered.weights(source, change.model, str(change.value))
            path = folder / source.relative_to(extracted)
            yield NewWeights(change.model, str(change.value), made, path)


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")
