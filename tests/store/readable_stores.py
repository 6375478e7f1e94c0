"""Release stores to read from: a folder, and buckets of two S3 servers over HTTP on loopback, which
are moto's and SeaweedFS."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import boto3
import pytest
from mypy_boto3_s3 import S3Client

from slipway.store.interface import Reader
from slipway.store.open_reader import open_reader
from tests.store.faulty import FaultyS3, serving
from tests.store.seaweed import running_seaweed

BUCKET, PREFIX = "releases", "team/slipway"


class ReadableStore(Protocol):
    """A store, and how its objects come to be there."""

    @property
    def location(self) -> str: ...
    @property
    def reader(self) -> Reader: ...
    def put(self, key: str, data: bytes) -> None: ...


class FolderStore:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.location = str(root)
        self.reader = open_reader(self.location, root)

    def put(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(".new").write_bytes(data)
        path.with_name(".new").rename(path)


class BucketStore:
    def __init__(self, client: S3Client, bucket: str = BUCKET) -> None:
        self.client, self.bucket = client, bucket
        self.location = f"s3://{bucket}/{PREFIX}"
        self.reader = open_reader(self.location, Path())

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"{PREFIX}/{key}", Body=data)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The URL of moto's server, whose conditional writes are one step."""
    with serving(FaultyS3()) as server:
        yield server.url


@pytest.fixture(scope="session")
def seaweed() -> Iterator[str]:
    """The URL of SeaweedFS's S3."""
    with running_seaweed() as url:
        yield url


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """AWS's configuration, which is empty but for made-up credentials: the folder of its files."""
    for key in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(key, raising=False)
    for key, value in {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "SLIPWAY_CACHE": str(tmp_path / "cache"),  # what is known of servers
    }.items():
        monkeypatch.setenv(key, value)
    return tmp_path


@pytest.fixture
def release_bucket(moto: str, aws: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketStore]:
    """An empty bucket, found as boto3 finds it: by a variable."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto)
    client: S3Client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield BucketStore(client)
    monkeypatch.delenv("MOTO_S3_DEFAULT_MAX_KEYS", raising=False)
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def seaweed_release_bucket(seaweed: str, aws: Path, monkeypatch: pytest.MonkeyPatch) -> BucketStore:
    """An empty bucket of SeaweedFS, found as boto3 finds it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", seaweed)
    client: S3Client = boto3.client("s3")
    bucket = f"{BUCKET}-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=bucket)
    return BucketStore(client, bucket)


@pytest.fixture(params=["folder", "release_bucket", "seaweed_release_bucket"])
def readable_store(request: pytest.FixtureRequest, tmp_path: Path) -> ReadableStore:
    """A store of each kind, empty; in S3 on two servers."""
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    made: BucketStore = request.getfixturevalue(request.param)
    return made
