"""Pair a release store with the stage whose keys are used in it."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.settings.release import StageName
from slipway.store.interface import Reader, Store


@dataclass(frozen=True)
class StageReader:
    """The releases of the stage ``name`` in ``store``, to read."""

    store: Reader
    name: StageName


@dataclass(frozen=True)
class StageStore(StageReader):
    """The releases of the stage ``name`` in ``store``, to read and write."""

    store: Store
