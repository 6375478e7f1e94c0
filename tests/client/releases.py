"""A release store with records and aliases, and no artifacts."""

from __future__ import annotations

from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.alias import Alias, Variant, write_alias
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.files import sha256_of
from slipway.model.interface import Interface, Tensor
from slipway.settings.release import StageName
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore

STAGE: StageName = "staging"
ONE, TWO, THREE = (f"m_{number}.0.0.tar.gz" for number in (1, 2, 3))
# inputs and outputs of `m` unless a test sets others
FEATURES = Interface(
    16,
    {"X": Tensor("FP32", (4,)), "NOTE": Tensor("BYTES", (1,), optional=True)},
    {"SCORE": Tensor("FP32", (1,))},
)


def release(
    store: DirectoryStore, target: str, interface: Interface = FEATURES, name: str = "m"
) -> None:
    """Record the release ``target``."""
    version = target.split("_")[1].removesuffix(".tar.gz")
    manifest = Manifest(name, version, name, {}, {}, None, "slipway")
    # an endpoint compares the object with its record; many tests have none
    artifact = store.root / keys.artifact(STAGE, target)
    digest = sha256_of(artifact) if artifact.is_file() else "0" * 64
    record = Record(manifest, target, digest, "2026-01-01T00:00:00Z", Origin(), interface)
    store.create(keys.record(STAGE, name, target), record.dump())


def alias(store: DirectoryStore, *targets: str, shadow: str | None = None, name: str = "m") -> None:
    """Point the alias of ``name`` to ``targets`` with equal weights."""
    new = Alias(tuple(Variant(target, 1) for target in targets), shadow)
    write_alias(StageStore(store, STAGE), name, new)
