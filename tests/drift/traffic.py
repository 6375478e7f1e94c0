"""Releases with reference profiles, and captured requests to them, as the library writes both."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from slipway import settings
from slipway.artifact.manifest import Manifest
from slipway.capture.exchange import Exchange
from slipway.capture.location import CaptureLocation, capture_location
from slipway.capture.record import Role
from slipway.capture.writer import CaptureWriter
from slipway.catalog import alias, journal, keys
from slipway.catalog.alias_move import move_alias
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.model.capture_rules import CaptureRules
from slipway.model.interface import Interface, Tensor
from slipway.profile.build import build_profile
from slipway.profile.profile import Profile
from slipway.settings import Settings
from slipway.settings.release import StageName
from slipway.store.interface import Store
from slipway.store.open import open_stage
from slipway.store.stage import StageStore
from slipway.triton.datatypes import Array

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
INTERFACE = Interface(8, {"ROOMS": Tensor("FP32", (2,))}, {"PRICE": Tensor("FP32", (1,))})
FOREVER = 36_500  # days: another writer forgets what is older
FILLER = 3 << 20  # bytes after the profile, which nobody has to read
Tensors = Mapping[str, Array]


@dataclass(frozen=True)
class Traffic:
    """A repository whose store is a folder, with an endpoint that captured what it was asked."""

    settings: Settings

    def release(
        self,
        name: str,
        profile: Profile | None,
        *,
        version: str = "1.0.0",
        stage: StageName = "production",
    ) -> str:
        """Release a model whose artifact holds ``profile``; its target model."""
        store = open_stage(self.settings, stage)
        return release(store.store, stage, name, profile, version)

    def capture(
        self,
        target: str,
        rows: Tensors,
        answers: Tensors,
        *,
        ago: timedelta = timedelta(minutes=5),
        endpoint: str = "production",
        role: Role = "answer",
        now: datetime = NOW,
        at: CaptureLocation | None = None,
    ) -> None:
        """Write a captured request of one row for each of ``rows``, a millisecond apart."""
        writer = CaptureWriter(
            at or capture_location(self.settings, endpoint),
            lambda _: CaptureRules(retention_days=FOREVER),
        )
        first = (now - ago).timestamp()
        for index in range(len(next(iter(rows.values())))):
            exchange = Exchange(
                f"{target}-{ago}-{index}",
                first + index / 1000,
                endpoint,
                "AllTraffic",
                target,
                _body("inputs", rows, index),
                "application/json",
                _body("outputs", answers, index),
                "application/json",
                role,
            )
            assert writer.offer(exchange)
        writer.close()


def make(folder: Path, toml: str = "") -> Traffic:
    """A repository in ``folder`` with an empty store."""
    (folder / "slipway.toml").write_text('[release]\nstore = "store"\n' + toml, encoding="utf-8")
    return Traffic(settings.load(folder))


def houses(
    rows: int, seed: int, *, shift: float = 0.0
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Rows of a made-up model of prices, and its answers; ``shift`` moves one of two columns."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows, 2)).astype(np.float32)
    inputs[:, 1] += shift
    return {"ROOMS": inputs}, {"PRICE": inputs.sum(axis=1, keepdims=True)}


@functools.cache
def house_profile(rows: int = 3000) -> Profile:
    """The profile of rows without drift."""
    return build_profile(*houses(rows, 1), source="train.csv")


def release(
    store: Store, stage: StageName, name: str, profile: Profile | None, version: str
) -> str:
    """Put an artifact, its record and the alias into ``store``; the target model."""
    target = f"{name}_{version}.tar.gz"
    data = _artifact(name, version, profile)
    digest = hashlib.sha256(data).hexdigest()
    store.create(keys.artifact(stage, target), data)
    made = Manifest(name, version, name, {}, {}, None, "slipway")
    record = Record(made, target, digest, journal.now(), Origin(), interface=INTERFACE)
    store.create(keys.record(stage, name, target), record.dump())
    place = StageStore(store, stage)
    move_alias(place, name, alias.single_target(target), "publish", Origin(), None)
    return target


def _artifact(name: str, version: str, profile: Profile | None) -> bytes:
    files = {f"{name}/config.pbtxt": b"max_batch_size: 8\n"}
    if profile is not None:
        files[f"{name}/1/profile.json"] = profile.dump()
    sources = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    manifest = Manifest(name, version, name, sources, {}, None, "slipway")
    weights = np.random.default_rng(7).bytes(FILLER)  # does not compress
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, data in {
            f"{name}/1/manifest.json": manifest.dump(),
            **files,
            f"{name}/1/model.onnx": weights,
        }.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _body(side: str, tensors: Tensors, index: int) -> bytes:
    entries = [
        {
            "name": name,
            "datatype": "FP32",
            "shape": [1, *tensor.shape[1:]],
            "data": tensor[index].ravel().tolist(),
        }
        for name, tensor in tensors.items()
    ]
    return json.dumps({side: entries}).encode()
