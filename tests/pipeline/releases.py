"""Releases without artifacts: records, aliases and a journal as publishing leaves them."""

from __future__ import annotations

from slipway.artifact.manifest import Manifest
from slipway.interface import Interface, Tensor
from slipway.release import alias, journal, keys
from slipway.release.directory import DirectoryStore
from slipway.release.journal import Action
from slipway.release.keys import Stage
from slipway.release.origin import Origin
from slipway.release.record import Record
from slipway.release.serve import serve

FEATURES = Interface(0, {"X": Tensor("FP32", (2,))}, {"Y": Tensor("FP32", (2,))})


def released(
    store: DirectoryStore,
    version: str,
    *,
    name: str = "m",
    stage: Stage = "production",
    action: Action = "promote",
    origin: Origin = Origin(),
    changes: tuple[str, ...] = (),
    reason: str | None = None,
    interface: Interface = FEATURES,
) -> str:
    """Release ``version`` and let the name stand for it; its target model."""
    target = f"{name}_{version}.tar.gz"
    made = Manifest(name, version.split("-")[0], name, {}, {}, None, "slipway")
    said = Record(
        made, target, "0" * 64, journal.now(), origin, interface=interface, changes=changes
    )
    store.create(keys.record(stage, name, target), said.dump())
    # what serves a target asks for its object
    store.create(keys.artifact(stage, target), b"an artifact")
    serve(store, stage, name, alias.to(target), action, origin, reason)
    return target
