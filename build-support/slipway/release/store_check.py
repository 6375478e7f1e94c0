"""Check that a stage's release store can be reached, and that it can hold releases."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from slipway.catalog import keys
from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.settings.release import StageName, store_variable
from slipway.store.interface import AccessDenied
from slipway.store.open import open_stage
from slipway.store.open_reader import S3, folder_of


@dataclass(frozen=True)
class StoreCheck:
    """A stage's store at ``location``, which ``variable`` of the environment names, if any.

    ``problem`` and ``fix`` say why it cannot be used; ``note`` what could not be found out.
    """

    stage: StageName
    location: str
    variable: str | None = None
    problem: str | None = None
    fix: str | None = None
    note: str | None = None


def check_store(settings: Settings, stage: StageName) -> StoreCheck:
    """Read from a stage's store, and ask an S3 server whether it keeps conditions, which writes a
    small object. A folder is not created."""
    location = settings.stage(stage).store
    variable = store_variable(stage) if os.environ.get(store_variable(stage)) else None
    try:
        if not location.startswith(S3):
            problem = _folder_problem(folder_of(location, settings.root))
            fix = "let your user write to it" if problem else None
            return StoreCheck(stage, location, variable, problem, fix)
        store = open_stage(settings, stage).store
        store.read(keys.conditions(stage))
    except SlipwayError as error:
        return StoreCheck(stage, location, variable, error.what, error.fix)
    try:
        store.require_conditional_writes(keys.conditions(stage), again=True)
    except AccessDenied as error:
        note = f"it can be read, not written: {error.what}"
        return StoreCheck(stage, location, variable, note=note, fix=error.fix)
    except SlipwayError as error:
        return StoreCheck(stage, location, variable, error.what, error.fix)
    return StoreCheck(stage, location, variable)


def _folder_problem(folder: Path) -> str | None:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return f"{existing} is not a folder"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{existing} cannot be written"
    return None
