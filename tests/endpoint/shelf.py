"""A release store of scripted models, and an unmodified boto3 client that asks for them."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import numpy as np
from botocore.config import Config

from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.endpoint import serving
from slipway.endpoint.endpoint import Endpoint
from slipway.endpoint.limits import Limits
from slipway.endpoint.serving import RunningEndpoints
from slipway.settings import EndpointSettings, Settings
from slipway.triton import kserve
from slipway.triton.datatypes import Array
from tests import fixture_models

X = np.arange(3, dtype=np.float32)
WILL = "scripted/1/will.json"


class Shelf:
    """A folder of releases below ``staging/models/``; ``work`` is a folder for notes and gates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "releases"
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        self._plain = fixture_models.pack(
            fixture_models.copy("scripted", folder / "models"), folder / "scripted.tar.gz"
        )

    def path(self, target: str) -> Path:
        """Where a target's object lies."""
        return self.folder / "staging" / "models" / target

    def put(self, release: int, target: str = "", **will: Any) -> str:
        """Publish a release that does what ``will`` says; returns its target model."""
        target = target or f"scripted_{release}.tar.gz"
        return self.write(target, self.packed(release, **will))

    def packed(self, release: int, **will: Any) -> bytes:
        """A release's artifact."""
        said = {"release": release, **will}
        said = {k: str(v) if isinstance(v, Path) else v for k, v in said.items()}
        return _with(self._plain, {WILL: json.dumps(said).encode()})

    def changed(self, release: int, files: Mapping[str, bytes]) -> bytes:
        """Return a release's artifact with ``files`` in the place of those of the same names."""
        will = json.dumps({"release": release}).encode()
        return _with(self._plain, {WILL: will, **files})

    def write(self, target: str, data: bytes) -> str:
        """Put any bytes under a target's name, overwriting what is there."""
        path = self.path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.new")
        aside.write_bytes(data)
        aside.rename(path)
        return target

    def record(self, target: str, artifact: bytes) -> None:
        """Record in the catalog that ``artifact`` was published as ``target``."""
        name, _, version = target.removesuffix(".tar.gz").partition("_")
        sha256 = hashlib.sha256(artifact).hexdigest()
        manifest = Manifest(name, version, "scripted", {}, {}, None, "")
        record = Record(
            manifest, target, sha256, "2026-01-01T00:00:00Z", Origin(), size=len(artifact)
        )
        path = self.folder / keys.record("staging", name, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(record.dump())

    @property
    def notes(self) -> Path:
        """Where releases note their loads, a line each: release and process."""
        return self.work / "notes"

    def loads(self) -> list[int]:
        """The releases that were loaded, in their order."""
        if not self.notes.exists():
            return []
        lines = self.notes.read_text(encoding="utf-8").splitlines()
        return [int(line.split()[0]) for line in lines]

    def gate(self, name: str) -> Path:
        """A file that a model waits for; ``touch`` it to let it go on."""
        return self.work / name


@functools.lru_cache
def _members(plain: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(plain) as tar:
        found = [(m, tar.extractfile(m).read() if m.isfile() else b"") for m in tar]  # type: ignore[union-attr]
    return found


def _with(plain: Path, files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        for member, content in _members(plain):
            if member.name not in files:
                tar.addfile(member, io.BytesIO(content))
        for name, data in files.items():
            added = tarfile.TarInfo(name)
            added.size, added.mode = len(data), 0o755
            tar.addfile(added, io.BytesIO(data))
    return out.getvalue()


class Caller:
    """Asks one endpoint as boto3 does; nothing is tried again."""

    def __init__(self, url: str, name: str = "local") -> None:
        self.url = url
        self.name = name
        self.boto3 = client(url)
        self.errors = self.boto3.exceptions

    def ask(self, target: str, x: Array = X) -> Array:
        """The tensor Y, after the answer was found to be the golden one of the release it names."""
        body, content_type = kserve.encode({"X": x})
        answer = self.boto3.invoke_endpoint(
            EndpointName=self.name, TargetModel=target, Body=body, ContentType=content_type
        )
        outputs = kserve.decode(answer["Body"].read(), answer["ContentType"])
        release = int(outputs["RELEASE"][0])
        np.testing.assert_array_equal(outputs["Y"], 2 * x + np.float32(release))
        return outputs["Y"]

    def release(self, target: str) -> int:
        """Which release answers."""
        return int(self.ask(target, np.zeros(1, np.float32))[0])


def client(url: str) -> Any:
    """boto3's own client, with credentials that are made up."""
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=64, read_timeout=60),
    )


class Up:
    """A running endpoint called ``local``, its caller, and what it has inside."""

    def __init__(self, served: RunningEndpoints) -> None:
        self.served = served
        self.url = served.url
        self.caller = Caller(served.url)
        self.ask, self.release, self.errors = (
            self.caller.ask,
            self.caller.release,
            self.caller.errors,
        )

    @property
    def inside(self) -> Endpoint:
        """The endpoint itself."""
        endpoint = self.served.endpoints["local"]
        assert isinstance(endpoint, Endpoint)
        return endpoint

    def loaded(self) -> list[str]:
        """Loaded targets, the least recently used first."""
        return [model.target for model in self.inside.models.table.loaded]

    def users(self, target: str) -> int:
        """How many invocations of a target there are now, with those that wait for its load."""
        model = self.inside.models.table.get(target)
        return model.users if model else 0

    def events(self, *kinds: str) -> list[tuple[str, str]]:
        """Kind and target of what has happened."""
        events = [(event.kind, event.target) for event in self.inside.observer.events]
        return [event for event in events if not kinds or event[0] in kinds]


@contextmanager
def up(root: Path, shelf: Shelf, *, allow: tuple[str, ...] = ("*",), **limits: Any) -> Iterator[Up]:
    """The endpoint ``local`` with ``limits``, until the block ends."""
    configured = EndpointSettings("local", store=str(shelf.folder), allow=allow)
    chosen = Limits(**limits)
    with serving.serve_in_thread(
        Settings(root=root), [configured], limits=lambda _: chosen
    ) as served:
        yield Up(served)


def until(holds: Callable[[], object]) -> None:
    """Wait until ``holds``, a minute at most."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.005)
