"""A server that ignores conditions holds no releases: two publishers of one key would both win."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from mypy_boto3_s3 import S3Client

from slipway.errors import SlipwayError
from slipway.settings import StageSettings
from slipway.store.s3 import known_servers
from slipway.store.s3.store import S3Store, open_s3
from tests.store.conftest import PREFIX, BucketStorage
from tests.store.faulty import FaultyS3
from tests.store.rclone import running_rclone

KEY = "staging/catalog/conditions.json"
WRITES = (
    "PutObject",
    "CompleteMultipartUpload",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
)


def opened(bucket: BucketStorage) -> S3Store:
    """The store as another process opens it."""
    return bucket.another()


def test_rclone_ignores_conditions_and_is_refused(
    aws: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served").mkdir()
    with running_rclone(tmp_path / "served") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        client: S3Client = boto3.client("s3")
        client.create_bucket(Bucket="releases")
        client.put_object(Bucket="releases", Key="key", Body=b"first")
        client.put_object(Bucket="releases", Key="key", Body=b"second", IfNoneMatch="*")
        assert client.get_object(Bucket="releases", Key="key")["Body"].read() == b"second"
        for _ in range(2):  # what is wrong is not remembered: the server may be mended
            store = open_s3(StageSettings("staging", "s3://releases/team"))
            with pytest.raises(SlipwayError, match="ignores If-None-Match of PutObject") as caught:
                store.require_conditional_writes(KEY)
            assert url in caught.value.what and caught.value.where == "s3://releases/team/"
            assert caught.value.fix and "slipway.toml: release.store" in caught.value.fix


def test_seaweedfs_keeps_conditions(seaweed_bucket: BucketStorage) -> None:
    opened(seaweed_bucket).require_conditional_writes(KEY)
    opened(seaweed_bucket).require_conditional_writes(KEY, again=True)
    assert seaweed_bucket.store.keys("") == [KEY] and not seaweed_bucket.leftovers()


@pytest.mark.parametrize(
    ("condition", "operation"),
    [
        ("if-none-match", "PutObject"),
        ("if-match", "PutObject"),
        ("if-none-match", "CompleteMultipartUpload"),
        ("x-amz-copy-source-if-match", "UploadPartCopy"),
    ],
)
def test_a_server_that_ignores_one_condition_is_refused(
    bucket: BucketStorage, s3: FaultyS3, condition: str, operation: str
) -> None:
    s3.ignored = condition, operation
    for key in (KEY, KEY):  # before and after it exists
        with pytest.raises(SlipwayError) as caught:
            opened(bucket).require_conditional_writes(key)
        assert f"ignores {condition} of {operation}".lower() in caught.value.what.lower()
    assert not bucket.leftovers()
    s3.ignored = None
    opened(bucket).require_conditional_writes(KEY)


def test_a_server_whose_check_and_write_are_two_steps_is_refused(
    bucket: BucketStorage, s3: FaultyS3
) -> None:
    s3.atomic = False
    with pytest.raises(SlipwayError, match="of 4 writers of one version at once were all succ"):
        opened(bucket).require_conditional_writes(KEY)


def test_a_server_that_says_that_it_knows_no_conditions_is_refused_with_its_words(
    bucket: BucketStorage, s3: FaultyS3
) -> None:
    s3.fail("status", "PutObject", status=501, code="NotImplemented", message="no If-None-Match")
    with pytest.raises(SlipwayError, match=r"does not support this PutObject .*no If-None-Match"):
        opened(bucket).require_conditional_writes(KEY)


def test_a_server_is_asked_once_and_another_bucket_of_it_again(
    bucket: BucketStorage, s3: FaultyS3
) -> None:
    store = opened(bucket)
    store.require_conditional_writes(KEY)
    assert 0 < s3.count(*WRITES) <= 15
    s3.requests.clear()
    store.require_conditional_writes(KEY)
    opened(bucket).require_conditional_writes(KEY)
    assert not s3.requests
    opened(bucket).require_conditional_writes(KEY, again=True)
    assert s3.requests
    bucket.client.create_bucket(Bucket=f"{bucket.bucket}-2")
    s3.requests.clear()
    settings = StageSettings("staging", f"s3://{bucket.bucket}-2")
    S3Store(bucket.client, f"{bucket.bucket}-2", PREFIX, settings).require_conditional_writes(KEY)
    assert s3.requests


def test_what_is_remembered_ends_after_some_days_and_is_bounded(
    slipway_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = slipway_cache / "stores" / known_servers.FILE
    for number in range(known_servers.MAX_ENTRIES + 5):
        known_servers.remember("http://server", f"bucket-{number}")
    assert len(json.loads(memory.read_text())) == known_servers.MAX_ENTRIES
    assert not known_servers.is_known("http://server", "bucket-0")
    assert known_servers.is_known("http://server", "bucket-104")
    later = time.time() + known_servers.DAYS * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    assert not known_servers.is_known("http://server", "bucket-104")


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"a": null}', b"\xff", b'"text"'])
def test_a_damaged_memory_is_none(slipway_cache: Path, damage: bytes) -> None:
    known_servers.remember("http://server", "bucket")
    (slipway_cache / "stores" / known_servers.FILE).write_bytes(damage)
    assert not known_servers.is_known("http://server", "bucket")
    known_servers.remember("http://server", "bucket")
    assert known_servers.is_known("http://server", "bucket")


@pytest.mark.parametrize("conflicts", [0.0, 0.5])
def test_many_who_ask_at_once_do_not_mislead_each_other(
    bucket: BucketStorage, s3: FaultyS3, conflicts: float
) -> None:
    s3.conflicts = conflicts
    with ThreadPoolExecutor(6) as pool:
        stores = [opened(bucket) for _ in range(6)]
        list(pool.map(lambda store: store.require_conditional_writes(KEY, again=True), stores))
    assert bucket.store.keys("") == [KEY] and not bucket.leftovers()


def test_a_lost_answer_is_no_proof_against_the_server(bucket: BucketStorage, s3: FaultyS3) -> None:
    s3.fail("cut answer", *WRITES, every=3, times=6)
    opened(bucket).require_conditional_writes(KEY)
