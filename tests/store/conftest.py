"""A release store of each kind, empty, as several publishers have it."""

from __future__ import annotations

import functools
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import boto3
import pytest
from mypy_boto3_s3 import S3Client

from slipway.settings import StageSettings
from slipway.store.directory import DirectoryStore
from slipway.store.interface import Store
from slipway.store.s3.store import S3Store
from tests.store.faulty import FaultyS3, serving
from tests.store.readable_stores import (
    aws,
    moto,
    readable_store,
    release_bucket,
    seaweed,
    seaweed_release_bucket,
)

__all__ = [
    "aws",
    "moto",
    "readable_store",
    "release_bucket",
    "seaweed",
    "seaweed_release_bucket",
]

PART = 64 << 10  # small, that many parts are quickly sent
SEAWEED_PART = 5 << 20  # the least that SeaweedFS takes, as S3 does
PREFIX = "team/slipway"


class Storage(Protocol):
    """Where releases lie in a test."""

    @property
    def store(self) -> Store: ...
    @property
    def part(self) -> int:
        """The size in bytes above which a file is sent in parts."""
        ...

    @property
    def location(self) -> str:
        """As slipway.toml has it."""
        ...

    def another(self) -> Store:
        """The same store, as somebody else has opened it."""
        ...

    def put(self, key: str, data: bytes) -> None:
        """Put it there by other means."""
        ...

    def elsewhere(self) -> Store:
        """An empty store of the same kind."""
        ...

    def leftovers(self) -> list[str]:
        """What lies there and is no key."""
        ...


class FolderStorage:
    part = PART

    def __init__(self, root: Path) -> None:
        self.root = root
        self.location = str(root)
        self.store: Store = DirectoryStore(root)

    def another(self) -> Store:
        return DirectoryStore(self.root)

    def put(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def elsewhere(self) -> Store:
        return DirectoryStore(self.root.with_name("elsewhere"))

    def leftovers(self) -> list[str]:
        return [str(path) for path in self.root.rglob(".aside-*")]


class BucketStorage:
    def __init__(
        self, bucket: str, client: S3Client, settings: StageSettings, part: int = PART
    ) -> None:
        self.bucket, self.client, self._settings, self.part = bucket, client, settings, part
        self.location = settings.store
        self.store: Store = self.another()

    def another(self, client: S3Client | None = None) -> S3Store:
        return S3Store(client or self.client, self.bucket, PREFIX, self._settings, self.part)

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"{PREFIX}/{key}", Body=data)

    def elsewhere(self) -> Store:
        other = f"{self.bucket}-elsewhere"
        self.client.create_bucket(Bucket=other)
        return S3Store(self.client, other, PREFIX, self._settings, self.part)

    def leftovers(self) -> list[str]:
        found = self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", ())
        return [upload["UploadId"] for upload in found]


@pytest.fixture(scope="package")
def _serving() -> Iterator[FaultyS3]:
    with serving(FaultyS3()) as server:
        yield server


@pytest.fixture
def s3(
    _serving: FaultyS3, aws: Path, slipway_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultyS3]:
    """The server, without faults, where boto3 finds it and asks up to four times, at once."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", _serving.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "4")
    monkeypatch.setattr("botocore.retryhandler.delay_exponential", lambda *_, **__: 0.0)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    yield _serving
    _serving.reset()


@pytest.fixture
def bucket(s3: FaultyS3) -> BucketStorage:
    """A store in S3, in a bucket that is this test's."""
    name = f"releases-{uuid.uuid4().hex[:12]}"
    client = _client(s3.url)
    client.create_bucket(Bucket=name)
    made = BucketStorage(name, client, StageSettings("staging", f"s3://{name}/{PREFIX}"))
    s3.requests.clear()
    return made


@pytest.fixture
def seaweed_bucket(
    seaweed: str, aws: Path, slipway_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> BucketStorage:
    """A store in SeaweedFS, in a bucket that is this test's."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", seaweed)
    name = f"releases-{uuid.uuid4().hex[:12]}"
    client = _client(seaweed)
    client.create_bucket(Bucket=name)
    settings = StageSettings("staging", f"s3://{name}/{PREFIX}")
    return BucketStorage(name, client, settings, SEAWEED_PART)


@functools.cache
def _client(url: str) -> S3Client:
    """One for all tests of a server: making it takes longer than most of them."""
    client: S3Client = boto3.client("s3", endpoint_url=url)
    return client


@pytest.fixture(params=["folder", "bucket", "seaweed_bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A store of each kind; in S3 on two servers."""
    if request.param == "folder":
        return FolderStorage(tmp_path / "store")
    made: BucketStorage = request.getfixturevalue(request.param)
    return made


class File:
    """A file of ``size`` bytes at random, and its digest."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.data = path, os.urandom(size)
        self.path.write_bytes(self.data)
        self.sha256 = hashlib.sha256(self.data).hexdigest()


@pytest.fixture
def small(tmp_path: Path) -> File:
    """That goes in one request."""
    return File(tmp_path / "small", PART // 2)


@pytest.fixture
def large(request: pytest.FixtureRequest, tmp_path: Path) -> File:
    """That goes in ten parts and a bit; to SeaweedFS, whose parts are large, in one and a bit."""
    seaweed = "storage" in request.fixturenames and "seaweed" in request.node.name
    return File(tmp_path / "large", (SEAWEED_PART if seaweed else 10 * PART) + 17)
