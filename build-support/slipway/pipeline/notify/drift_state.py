"""What people were told last about the drift of a model: ``<stage>/catalog/<name>/drift.json``.

A check runs every hour, and a drift lasts for days: people are notified where it begins, where more
tensors move, and where it ends.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from slipway.catalog import keys
from slipway.drift.verdict import ReleaseDrift
from slipway.store.stage import StageStore

FILE_NAME = "drift.json"
Change = Literal["drifted", "settled"]


@dataclass(frozen=True)
class DriftState:
    """The target models that drifted on one endpoint, each with the tensors that were named."""

    moved: dict[str, list[str]]

    def change(self, release: ReleaseDrift) -> Change | None:
        """Return what people have to be told about ``release``; ``None`` without news."""
        known = self.moved.get(release.target, [])
        if release.verdict == "drift" and not set(release.moved) <= set(known):
            return "drifted"
        return "settled" if release.verdict == "no drift" and known else None

    def after(self, release: ReleaseDrift) -> DriftState:
        """Return the state once people were told. Tensors stay until none has moved, so that one
        at its threshold is not news each time."""
        moved = {target: list(names) for target, names in self.moved.items()}
        if release.verdict == "drift":
            moved[release.target] = sorted({*moved.get(release.target, []), *release.moved})
        elif release.verdict == "no drift":
            moved.pop(release.target, None)
        return DriftState(moved)


def read_state(store: StageStore, name: str, endpoint: str) -> DriftState:
    """Return the state of ``name`` on ``endpoint``; an empty one if it is damaged, or not there."""
    return _parse(store.store.read(_key(store, name))).get(endpoint, DriftState({}))


def write_state(store: StageStore, name: str, endpoint: str, state: DriftState) -> None:
    """Record ``state``; those of other endpoints stay, also if they are written at the time."""
    key = _key(store, name)
    while True:
        before = store.store.read(key)
        states = {**_parse(before), endpoint: state}
        data = keys.dump_json({name: one.moved for name, one in states.items() if one.moved})
        if before == data or store.store.swap(key, before, data):
            return


def _key(store: StageStore, name: str) -> str:
    return f"{keys.catalog(store.name)}{name}/{FILE_NAME}"


def _parse(data: bytes | None) -> dict[str, DriftState]:
    if data is None:
        return {}
    try:
        values: dict[str, Any] = json.loads(data)
        return {
            str(endpoint): DriftState(
                {str(target): list(map(str, names)) for target, names in moved.items()}
            )
            for endpoint, moved in values.items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}  # people are told once more
