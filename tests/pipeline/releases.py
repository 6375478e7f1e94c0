"""Releases without artifacts: records, aliases and a journal as publishing leaves them."""

from __future__ import annotations

from slipway.artifact.manifest import Manifest
from slipway.catalog import alias, journal, keys
from slipway.catalog.alias_move import move_alias
from slipway.catalog.journal import Action
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.files import sha256_of_stream
from slipway.model.interface import Interface, Tensor
from slipway.settings.release import StageName
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore

NO_ORIGIN = Origin()
FEATURES = Interface(0, {"X": Tensor("FP32", (2,))}, {"Y": Tensor("FP32", (2,))})


def released(
    store: DirectoryStore,
    version: str,
    *,
    name: str = "m",
    stage: StageName = "production",
    action: Action = "promote",
    origin: Origin = NO_ORIGIN,
    changes: tuple[str, ...] = (),
    reason: str | None = None,
    interface: Interface = FEATURES,
) -> str:
    """Release ``version`` and let the name stand for it; its target model."""
    target = f"{name}_{version}.tar.gz"
    made = Manifest(name, version.split("-")[0], name, {}, {}, None, "slipway")
    # what serves a target asks for its object, and compares it with its record
    key = keys.artifact(stage, target)
    store.create(key, b"an artifact")
    with store.open(key) as stream:
        digest = sha256_of_stream(stream)
    said = Record(made, target, digest, journal.now(), origin, interface=interface, changes=changes)
    store.create(keys.record(stage, name, target), said.dump())
    move_alias(StageStore(store, stage), name, alias.single_target(target), action, origin, reason)
    return target
