"""Provide a new model's ``requirements.lock``, copied from a lock of equal requirements."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from slipway.environment.lock import header, refuse_unservable
from slipway.environment.write_lock import lock_requirements
from slipway.errors import SlipwayError
from slipway.settings import Settings


def provide_lock(requirements: Path, settings: Settings, *bundled: Path) -> Path:
    """Write ``requirements.lock`` to the folder of ``requirements`` and return its path.

    One of ``bundled``, or the lock of another model in the repository, is copied if it was created
    from equal requirements for the configured Python and platform. That needs no package index,
    and models with equal requirements share one environment. Otherwise it is locked, as ``slipway
    lock`` does.

    Raises:
        SlipwayError: as ``environment.lock``.
    """
    target = requirements.with_name("requirements.lock")
    wanted = header(requirements, settings)
    for existing in _candidates(settings.root, bundled):
        with existing.open(encoding="utf-8") as file:
            if file.readline().rstrip("\n") != wanted:
                continue
        try:
            refuse_unservable(existing, settings)
        except SlipwayError:
            continue
        shutil.copyfile(existing, target)
        return target
    return lock_requirements(requirements, settings)


def _candidates(root: Path, bundled: Iterable[Path]) -> Iterator[Path]:
    yield from sorted(root.glob("models/*/requirements.lock"))
    yield from filter(Path.is_file, bundled)
