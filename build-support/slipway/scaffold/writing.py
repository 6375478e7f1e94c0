"""Write a new model folder atomically: complete, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from slipway import signature
from slipway.errors import SlipwayError
from slipway.files import temp_sibling
from slipway.model.original import FOLDER as ORIGINAL
from slipway.model.weights import Weights
from slipway.scaffold import locks, naming, render
from slipway.settings import Settings

# one temporary name for all scaffolds, so that the next run removes what a killed one left
TEMPORARY = "new-model"


type Fill = Callable[[Path], list[Path]]


def write_folder(name: str, kind: str, version: str, settings: Settings, fill: Fill) -> Path:
    """Write ``models/<name>`` with ``fill``, which returns the files to track, and return it.

    Weights get a signature; originals, which are not served, do not.

    Raises:
        SlipwayError: the name is taken or invalid, or a file cannot be created; no files are left
            behind.
    """
    naming.refuse_version(version)
    with new_folders([name], settings) as (temporary,):
        _fill(temporary, kind, settings, fill)
    return settings.root / "models" / name


@contextlib.contextmanager
def new_folders(names: Sequence[str], settings: Settings) -> Iterator[list[Path]]:
    """Yield empty folders of these names; at the end, all of them are moved to ``models/``.

    After an error none of them is there, and nothing else of them.

    Raises:
        SlipwayError: a name is taken or invalid, or there is no DVC repository.
    """
    for name in names:
        naming.refuse_name(name, settings.root)
    if not (settings.root / ".dvc").is_dir():
        raise SlipwayError(
            "no DVC repository: weights are tracked by DVC",
            where=str(settings.root),
            fix="dvc init (with --no-scm outside of git)",
        )
    models = settings.root / "models"
    first = not models.exists()
    try:
        with temp_sibling(models / TEMPORARY) as holder:
            folders = [holder.with_name(name) for name in names]
            for folder in folders:
                folder.mkdir()
            yield folders
            _publish(folders, models)
    except BaseException:
        if first:
            with contextlib.suppress(OSError):  # another process has added a file
                models.rmdir()
        raise


def _fill(temporary: Path, kind: str, settings: Settings, fill: Fill) -> None:
    tracked = fill(temporary)
    locks.provide_lock(temporary / "requirements.txt", settings, render.lock_of(kind))
    store = Weights(settings.root)
    for pointer in store.add_all(tracked):
        if pointer.file.parent.name != ORIGINAL:
            signature.sign_weights(pointer, store)


def _publish(folders: Sequence[Path], models: Path) -> None:
    done: list[Path] = []
    try:
        for folder in folders:
            done.append(folder)
            _move(folder, models / folder.name)
    except BaseException:
        for folder in done:
            if not folder.exists():
                (models / folder.name).rename(folder)
        raise


def _move(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)  # fails if the folder was created in the meantime
    except OSError as error:
        raise SlipwayError(
            f"cannot be written: {error.strerror}", where=str(folder), fix="choose another name"
        ) from error
