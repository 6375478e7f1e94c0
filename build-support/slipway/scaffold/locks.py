"""``requirements.lock`` for a new model: a copy of an existing lock of the same requirements."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from slipway.environment.lock import header, lock_requirements, refuse_unservable
from slipway.errors import SlipwayError
from slipway.settings import Settings


def provide(requirements: Path, settings: Settings, offered: Path | None = None) -> Path:
    """Write ``requirements.lock`` beside ``requirements``.

    ``offered``, or the lock of another model of the repository, is copied if it was made of equal
    requirements for the configured Python and platform; so that no index is asked, and models with
    equal requirements share one environment. Else it is locked as ``slipway lock`` does.

    Raises:
        SlipwayError: as ``environment.lock``.
    """
    target = requirements.with_name("requirements.lock")
    wanted = header(requirements, settings)
    for found in _candidates(settings.root, offered):
        with found.open(encoding="utf-8") as file:
            if file.readline().rstrip("\n") != wanted:
                continue
        try:
            refuse_unservable(found, settings)
        except SlipwayError:
            continue
        shutil.copyfile(found, target)
        return target
    return lock_requirements(requirements, settings)


def _candidates(root: Path, offered: Path | None) -> Iterator[Path]:
    yield from sorted(root.glob("models/*/requirements.lock"))
    if offered is not None and offered.is_file():
        yield offered
