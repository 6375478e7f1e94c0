"""A new model folder: written aside, whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from slipway import signature
from slipway.errors import SlipwayError
from slipway.files import temp_sibling
from slipway.model.weights import Weights
from slipway.scaffold import locks, naming, render
from slipway.settings import Settings

# all scaffolds step aside under one name, so that the next one removes what a killed one left
ASIDE = "new-model"


type Fill = Callable[[Path], list[Path]]


def write(name: str, kind: str, version: str, settings: Settings, fill: Fill) -> Path:
    """The folder ``models/<name>``, made by ``fill``, which returns the weights to be tracked.

    Raises:
        SlipwayError: the name is taken or none, or a part cannot be made; then there is nothing.
    """
    naming.refuse(name, settings.root)
    naming.refuse_version(version)
    if not (settings.root / ".dvc").is_dir():
        raise SlipwayError(
            "no DVC repository: weights are tracked by DVC",
            where=str(settings.root),
            fix="dvc init (with --no-scm outside of git)",
        )
    folder = settings.root / "models" / name
    first = not folder.parent.exists()
    try:
        with temp_sibling(folder.with_name(ASIDE)) as holder:
            made = holder.with_name(name)
            made.mkdir()
            _fill(made, kind, settings, fill)
            _place(made, folder)
    except BaseException:
        if first:
            with contextlib.suppress(OSError):  # somebody else has put something there
                folder.parent.rmdir()
        raise
    return folder


def _fill(made: Path, kind: str, settings: Settings, fill: Fill) -> None:
    tracked = fill(made)
    locks.provide(made / "requirements.txt", settings, render.lock_of(kind))
    store = Weights(settings.root)
    for file in tracked:
        signature.sign_weights(store.add(file), store)


def _place(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)  # the system refuses it where something has appeared meanwhile
    except OSError as error:
        raise SlipwayError(
            f"cannot be written: {error.strerror}", where=str(folder), fix="choose another name"
        ) from error
