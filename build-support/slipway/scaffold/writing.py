"""Write a new model folder atomically: complete, or not at all."""

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

# one temporary name for all scaffolds, so that the next run removes what a killed one left
TEMPORARY = "new-model"


type Fill = Callable[[Path], list[Path]]


def write_folder(name: str, kind: str, version: str, settings: Settings, fill: Fill) -> Path:
    """Write ``models/<name>`` with ``fill``, which returns the weights to track, and return it.

    Raises:
        SlipwayError: the name is taken or invalid, or a file cannot be created; no files are left
            behind.
    """
    naming.refuse_name(name, settings.root)
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
        with temp_sibling(folder.with_name(TEMPORARY)) as holder:
            temporary = holder.with_name(name)
            temporary.mkdir()
            _fill(temporary, kind, settings, fill)
            _publish(temporary, folder)
    except BaseException:
        if first:
            with contextlib.suppress(OSError):  # another process has added a file
                folder.parent.rmdir()
        raise
    return folder


def _fill(temporary: Path, kind: str, settings: Settings, fill: Fill) -> None:
    tracked = fill(temporary)
    locks.provide_lock(temporary / "requirements.txt", settings, render.lock_of(kind))
    store = Weights(settings.root)
    for file in tracked:
        signature.sign_weights(store.add(file), store)


def _publish(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)  # fails if the folder was created in the meantime
    except OSError as error:
        raise SlipwayError(
            f"cannot be written: {error.strerror}", where=str(folder), fix="choose another name"
        ) from error
