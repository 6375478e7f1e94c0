"""Keys that are absent from a bucket, which S3 says of a bucket that is absent as well."""

from __future__ import annotations

import pytest

from slipway.errors import SlipwayError
from slipway.store.s3 import reader
from tests.store.conftest import BucketStorage
from tests.store.faulty import FaultyS3


def test_several_absent_keys_cost_one_listing(bucket: BucketStorage, s3: FaultyS3) -> None:
    assert [bucket.store.stat(f"models/{number}") for number in range(3)] == [None] * 3
    operations = [request.operation for request in s3.requests]
    assert operations == ["HeadObject", "ListObjectsV2", "HeadObject", "HeadObject"]


def test_each_bucket_is_listed_by_itself(bucket: BucketStorage, s3: FaultyS3) -> None:
    assert bucket.store.stat("models/a") is None
    assert bucket.elsewhere().stat("models/a") is None
    operations = [request.operation for request in s3.requests]
    assert operations.count("ListObjectsV2") == 2


def test_a_bucket_that_is_deleted_later_is_not_taken_for_an_empty_one(
    bucket: BucketStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bucket.store.stat("models/a") is None
    bucket.client.delete_bucket(Bucket=bucket.bucket)
    monkeypatch.setattr(reader, "LISTED_S", 0.0)
    with pytest.raises(SlipwayError, match="no bucket"):
        bucket.store.stat("models/a")
