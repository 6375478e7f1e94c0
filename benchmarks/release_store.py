"""Write a release store of any size, in the real format and quickly: a thousand models in seconds.

Each model has so many releases in staging, and every second one of them in production. An artifact
is a tiny one of its own: code, weights, an environment of two files. The index is not written, as
in a store that is older than it: ``slipway verify`` makes it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.alias import Alias, single_target
from slipway.catalog.journal import Action, JournalEvent
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.settings.release import StageName
from tests.release.sample_releases import ENVIRONMENT, make_manifest

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = 'name: "{name}"\nbackend: "python"\nmax_batch_size: 8\n'
PIPELINE = "https://gitlab.example.com/team/models/-/pipelines/"
PACKAGES = dict.fromkeys(("numpy", "pillow", "onnx"), "1.26.4")


def model_name(number: int) -> str:
    """Return the name of a model, such as ``model_0042``."""
    return f"model_{number:04}"


def version(count: int) -> str:
    """Return the version of a model's release ``count``, from 0."""
    return f"1.{count}.0"


def objects(models: int, releases: int) -> Iterator[tuple[str, bytes]]:
    """Yield every key of the store and its bytes, model by model."""
    for number in range(models):
        yield from _model(model_name(number), number, releases)


def write_folder(root: Path, models: int, releases: int) -> None:
    """Write the store into the folder ``root``."""
    made: set[Path] = set()
    for key, data in objects(models, releases):
        path = root / key
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(data)


def artifact(name: str, count: int) -> tuple[Manifest, bytes]:
    """Return the manifest and the bytes of a model's release ``count``."""
    sources = {
        f"{name}/config.pbtxt": CONFIG.format(name=name).encode(),
        f"{name}/1/model.py": f"class TritonPythonModel: ...\nLIMIT = {count}\n".encode(),
    }
    weights = f"{name} {count}".encode()
    manifest = make_manifest(name, version(count), sources, weights, PACKAGES)
    members = {
        f"{name}/1/manifest.json": manifest.dump(),
        **sources,
        f"{name}/1/model.onnx": weights,
        **{f"{name}/python_env/{file}": data for file, data in ENVIRONMENT.items()},
    }
    packed = io.BytesIO()
    for path, data in members.items():
        info = tarfile.TarInfo(path)
        info.size = len(data)
        packed.write(info.tobuf(tarfile.USTAR_FORMAT))
        packed.write(data + b"\0" * (-len(data) % 512))
    packed.write(b"\0" * 1024)
    return manifest, gzip.compress(packed.getvalue(), 1, mtime=0)


def _model(name: str, number: int, releases: int) -> Iterator[tuple[str, bytes]]:
    served: dict[StageName, Alias | None] = {"staging": None, "production": None}
    for count in range(releases):
        manifest, data = artifact(name, count)
        sha256 = hashlib.sha256(data).hexdigest()
        commit = hashlib.sha1(f"{name} {count}".encode()).hexdigest()
        when = BEGIN + timedelta(hours=6 * count, seconds=number)
        staged = f"{name}_{version(count)}-rc.h{sha256[:12]}.tar.gz"
        stages: tuple[StageName, ...] = (
            ("staging", "production") if count % 2 == 0 else ("staging",)
        )
        for stage in stages:
            moment = _iso(when + timedelta(hours=stage == "production"))
            target = staged if stage == "staging" else f"{name}_{version(count)}.tar.gz"
            origin = Origin(commit, f"{PIPELINE}{number * releases + count}", "dev")
            record = Record(
                manifest,
                target,
                sha256,
                moment,
                origin,
                size=len(data),
                source=None if stage == "staging" else staged,
                metrics={"accuracy": 0.9},
                changes=(f"{commit[:7]} A faster resize",),
            )
            action: Action = "publish" if stage == "staging" else "promote"
            alias, before = single_target(target), served[stage]
            event = JournalEvent(
                action,
                target,
                None if before is None else str(before),
                moment,
                origin,
                None,
                alias,
                before,
            )
            served[stage] = alias
            yield keys.artifact(stage, target), data
            yield keys.record(stage, name, target), record.dump()
            yield keys.evidence(stage, name, sha256, "tests"), b'{"passed": true}\n'
            digits = sha256[:8]
            yield f"{keys.history(stage, name)}{moment}-{action}-{digits}.json", event.dump()
            if stage == "production":
                yield keys.claim(stage, name, target), record.dump()
    for stage, last in served.items():
        if last is not None:
            yield keys.alias(stage, name), last.dump()


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
