"""A promotion within S3: no byte comes through here, and what cannot be proven is read instead."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from mypy_boto3_s3 import S3Client

from slipway.errors import SlipwayError
from slipway.settings import StageSettings
from slipway.store.directory import DirectoryStore
from slipway.store.s3.store import S3Store
from tests.store.conftest import PART, PREFIX, BucketStorage, File
from tests.store.faulty import FaultyS3


@pytest.fixture
def source(bucket: BucketStorage, s3: FaultyS3, large: File, small: File) -> BucketStorage:
    """A store with an artifact of many parts and one of a single request."""
    bucket.store.create_file("large", large.path, large.sha256)
    bucket.store.create_file("small", small.path, small.sha256)
    return bucket


def received(s3: FaultyS3) -> int:
    """How many bytes came to S3, but for lists of parts."""
    return sum(
        request.size for request in s3.requests if request.operation != "CompleteMultipartUpload"
    )


@pytest.mark.parametrize("name", ["large", "small"])
def test_no_byte_comes_through_here(
    source: BucketStorage, s3: FaultyS3, request: pytest.FixtureRequest, name: str
) -> None:
    file: File = request.getfixturevalue(name)
    there = source.elsewhere()
    s3.requests.clear()
    assert there.copy(source.store, name, "key", file.sha256)
    assert received(s3) == 0 and s3.count("GetObject") == 0
    assert s3.count("UploadPartCopy") == -(-len(file.data) // PART)
    assert there.read("key") == file.data and there.digest("key") == file.sha256


def test_an_empty_key_is_copied(source: BucketStorage) -> None:
    source.store.create("empty", b"")
    there = source.elsewhere()
    sha256 = source.store.digest("empty")
    assert sha256 and there.copy(source.store, "empty", "key", sha256)
    assert there.read("key") == b""


def test_the_condition_is_asked_of_the_last_request(source: BucketStorage, s3: FaultyS3) -> None:
    there = source.elsewhere()
    there.copy(source.store, "small", "key", str(source.store.digest("small")))
    last = [request for request in s3.requests if request.operation == "CompleteMultipartUpload"][
        -1
    ]
    assert last.headers["if-none-match"] == "*"
    copied = [request for request in s3.requests if request.operation == "UploadPartCopy"]
    assert copied and all("x-amz-copy-source-if-match" in request.headers for request in copied)


def test_a_copy_of_a_copy_is_proven_too(source: BucketStorage, s3: FaultyS3, large: File) -> None:
    there = source.elsewhere()
    there.copy(source.store, "large", "one", large.sha256)
    s3.requests.clear()
    assert source.store.copy(there, "one", "two", large.sha256)
    assert received(s3) == 0 and source.store.read("two") == large.data


def test_parts_that_are_not_the_sources_are_not_made_visible(
    source: BucketStorage, s3: FaultyS3, large: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that copies wrongly: its checksums tell, and the bytes are sent from here."""
    monkeypatch.setattr("tests.store.faulty._of_part", lambda *_: "A" * 43 + "=")
    there = source.elsewhere()
    s3.requests.clear()
    with pytest.raises(SlipwayError):
        # what is sent from here is refused as well, as this server tells the same of all
        there.copy(source.store, "large", "key", large.sha256)
    assert s3.count("UploadPart") > 0 and there.keys("") == []


def test_an_artifact_of_another_tool_comes_through_here_and_is_hashed(
    source: BucketStorage, s3: FaultyS3, large: File
) -> None:
    source.put("foreign", large.data)
    there = source.elsewhere()
    s3.requests.clear()
    assert there.copy(source.store, "foreign", "key", large.sha256)
    assert s3.count("UploadPartCopy") == 0 and received(s3) >= len(large.data)
    assert there.read("key") == large.data


def test_parts_cut_otherwise_come_through_here(
    source: BucketStorage, s3: FaultyS3, large: File
) -> None:
    there = source.elsewhere()
    settings = StageSettings("production", "s3://unused")
    assert isinstance(there, S3Store)
    other = S3Store(source.client, f"{source.bucket}-elsewhere", PREFIX, settings, part=2 * PART)
    s3.requests.clear()
    assert other.copy(source.store, "large", "key", large.sha256)
    assert received(s3) >= len(large.data)
    assert other.read("key") == large.data
    assert source.leftovers() == []


def test_a_server_that_tells_no_checksums_is_taken_at_its_word_for_the_version_it_copied(
    source: BucketStorage, s3: FaultyS3, large: File
) -> None:
    s3.checksums = False
    there = source.elsewhere()
    s3.requests.clear()
    assert there.copy(source.store, "large", "key", large.sha256)
    assert received(s3) == 0 and there.read("key") == large.data


def test_a_source_that_is_replaced_meanwhile_is_not_copied(
    source: BucketStorage, s3: FaultyS3, large: File
) -> None:
    there = source.elsewhere()
    s3.before["CreateMultipartUpload"] = lambda: source.put("large", b"other bytes")
    with pytest.raises(SlipwayError, match="replaced while it was copied"):
        there.copy(source.store, "large", "key", large.sha256)
    assert there.keys("") == []


def test_a_denied_copy_says_whose_permission_is_missing(
    source: BucketStorage, s3: FaultyS3, large: File
) -> None:
    there = source.elsewhere()
    s3.fail("status", "UploadPartCopy", times=100, status=403, code="AccessDenied")
    with pytest.raises(SlipwayError, match="access denied") as caught:
        there.copy(source.store, "large", "key", large.sha256)
    for word in ("s3:GetObject", "s3:PutObject", "kms:Decrypt", "target stage"):
        assert word in str(caught.value.fix)
    assert there.keys("") == [] and s3.count("AbortMultipartUpload") == 1


def test_from_a_folder_into_s3_and_back(bucket: BucketStorage, large: File, tmp_path: Any) -> None:
    folder, back = DirectoryStore(tmp_path / "folder"), DirectoryStore(tmp_path / "back")
    folder.create_file("one", large.path, large.sha256)
    assert bucket.store.copy(folder, "one", "two", large.sha256)
    assert back.copy(bucket.store, "two", "three", large.sha256)
    assert back.read("three") == large.data
    with pytest.raises(SlipwayError, match="packing recorded"):
        back.copy(bucket.store, "two", "four", "0" * 64)
    assert back.keys("") == ["three"]


def test_between_two_services_the_bytes_come_through_here(
    source: BucketStorage, s3: FaultyS3, large: File
) -> None:
    there = source.elsewhere()
    aside: S3Client = boto3.client("s3", endpoint_url=s3.url.replace("127.0.0.1", "localhost"))
    reader = S3Store(aside, source.bucket, PREFIX, StageSettings("staging", source.location))
    s3.requests.clear()
    assert there.copy(reader, "large", "key", large.sha256)
    assert s3.count("UploadPartCopy") == 0 and s3.count("GetObject") == 1
    assert there.read("key") == large.data


def test_key_of_kms_and_tags_are_on_every_object(
    source: BucketStorage, s3: FaultyS3, large: File, small: File
) -> None:
    settings = StageSettings(
        "production",
        "s3://unused",
        kms_key="alias/releases",
        tags={"team": "a+b = c/d", "cost": "1"},
    )
    store = S3Store(source.client, source.bucket, "kept", settings, part=PART)
    store.create("put", b"one")
    store.swap("put", b"one", b"two")
    store.create_file("small", small.path, small.sha256)
    store.create_file("large", large.path, large.sha256)
    store.copy(source.store, "large", "copied", large.sha256)
    for key in store.keys(""):
        head = source.client.head_object(Bucket=source.bucket, Key=f"kept/{key}")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/releases")
        tags = source.client.get_object_tagging(Bucket=source.bucket, Key=f"kept/{key}")["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "a+b = c/d", "cost": "1"}
    assert len(store.keys("")) == 4


def test_no_more_than_ten_thousand_parts_are_made() -> None:
    from slipway.store.s3.multipart import MAX_PARTS, part_size

    for size in (0, 1, 5 << 30, 160 << 30, (160 << 30) + 1, 5 << 40):
        part = part_size(size)
        assert part >= 16 << 20 and -(-size // part) <= MAX_PARTS
    assert part_size(100 << 20) == 16 << 20
