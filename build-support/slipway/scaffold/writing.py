"""A new model folder: written aside, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from slipway import signature, weights
from slipway.errors import SlipwayError
from slipway.files import aside
from slipway.scaffold import locks, naming, render
from slipway.settings import Settings

# all scaffolds step aside under one name, so that the next one removes what a killed one left
ASIDE = "new-model"


def write(
    name: str,
    kind: str,
    version: str,
    settings: Settings,
    fill: Callable[[Path], list[Path]],
) -> Path:
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
    with aside(folder.with_name(ASIDE)) as holder:
        made = holder.with_name(name)
        made.mkdir()
        tracked = fill(made)
        locks.provide(made / "requirements.txt", settings, render.lock_of(kind))
        store = weights.Weights(settings.root)
        for file in tracked:
            signature.sign(store.add(file), store)
        try:
            made.rename(folder)  # refused by the system where something has appeared meanwhile
        except OSError as error:
            raise SlipwayError(
                f"cannot be written: {error.strerror}",
                where=str(folder),
                fix="choose another name",
            ) from error
    return folder
