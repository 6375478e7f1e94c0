"""Check one model folder, and note what the outcome depends on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slipway.check.kept.folder import FolderState, read_folder
from slipway.check.kept.surroundings import LIBRARIES
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.outcome import CheckOutcome
from slipway.check.python.bls_calls import called_models
from slipway.environment.lock import lock_content
from slipway.environment.shared.requirements import named_folders


@dataclass(frozen=True)
class Examined:
    """An outcome with the state of the folder that it is of, as :class:`KeptCheck` has it.

    ``content`` is empty where the outcome must not be kept: the folder changed meanwhile or a
    moment before, or the check may have read what lies elsewhere. ``asked`` are names only.
    """

    outcome: CheckOutcome
    stat: str
    content: str
    lock: str
    asked: tuple[str, ...]
    served: str | None
    calls: tuple[str, ...]


def examine(
    folder: Path, repository: ModelRepository, find: Callable[[ModelUnderCheck], CheckOutcome]
) -> Examined:
    """Return what ``find`` says of a model folder, and on which state of it that is based."""
    start = time.time_ns()
    before = read_folder(folder)
    content = _content_of(before) if before.is_settled(start) else ""
    repository.asked.clear()
    model = ModelUnderCheck(folder, repository)
    outcome = find(model)
    asked = tuple(sorted(repository.asked))
    served = model.served
    is_lasting = (
        before.is_whole and read_folder(folder).stat == before.stat and not _leads_elsewhere(model)
    )
    return Examined(
        outcome,
        before.stat,
        content if is_lasting else "",
        _lock_digest(model.lock),
        asked,
        None if served is None else served.name,
        tuple(sorted(called_models(model))),
    )


def _content_of(state: FolderState) -> str:
    try:
        return state.content()
    except OSError:
        return ""


def _leads_elsewhere(model: ModelUnderCheck) -> bool:
    """Return whether requirements name a folder outside of that of the shared packages."""
    shared = model.settings.root / LIBRARIES
    named = [*named_folders(model.requirements), *named_folders(model.lock)]
    return not all(folder.resolve().is_relative_to(shared) for folder in named)


def _lock_digest(lock: Path) -> str:
    # as a built environment names its lock
    return hashlib.sha256(lock_content(lock).encode()).hexdigest() if lock.is_file() else ""
