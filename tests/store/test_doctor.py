"""The doctor asks each stage's store, wherever it is configured."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from slipway import settings as configuration
from slipway.doctor.diagnosis import Diagnosis
from slipway.doctor.services import diagnose_stores
from tests.store.conftest import BucketStorage
from tests.store.faulty import FaultyS3
from tests.store.rclone import running_rclone


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "slipway.toml").write_text('[release]\nstore = "releases"\n')
    return folder


def examine(root: Path) -> list[Diagnosis]:
    return list(diagnose_stores(configuration.load(root)))


def test_a_folder_is_named_for_each_stage_and_is_not_created(root: Path) -> None:
    assert [(found.state, found.what) for found in examine(root)] == [
        ("ok", "staging: releases"),
        ("ok", "production: releases"),
    ]
    assert not (root / "releases").exists()
    (root / "releases").write_text("a file")
    found = examine(root)[0]
    assert found.state == "missing" and "is not a folder" in found.what and found.fix


def test_a_store_of_the_environment_is_asked_and_its_variable_named(
    seaweed_bucket: BucketStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_PRODUCTION_STORE", seaweed_bucket.location)
    staging, production = examine(root)
    assert (staging.state, staging.what) == ("ok", "staging: releases")
    name = f"production: {seaweed_bucket.location} (SLIPWAY_PRODUCTION_STORE)"
    assert (production.state, production.what) == ("ok", name)
    monkeypatch.setenv("SLIPWAY_PRODUCTION_STORE", "s3://there-is-none/prefix")
    production = examine(root)[1]
    assert production.state == "missing" and "no bucket 'there-is-none'" in production.what
    assert production.fix == "aws s3 ls lists the buckets that you can see"


def test_a_server_that_ignores_conditions_is_missing(
    aws: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served").mkdir()
    with running_rclone(tmp_path / "served") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        monkeypatch.setenv("SLIPWAY_STAGING_STORE", "s3://releases")
        boto3.client("s3").create_bucket(Bucket="releases")
        found = examine(root)[0]
    assert found.state == "missing" and "ignores If-None-Match of PutObject" in found.what


def test_who_may_only_read_is_told_so(
    bucket: BucketStorage, s3: FaultyS3, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_STAGING_STORE", bucket.location)
    s3.fail("status", "PutObject", status=403, code="AccessDenied", message="Access Denied")
    found = examine(root)[0]
    assert found.state == "note" and "it can be read, not written" in found.what
    assert found.fix and "s3:PutObject" in found.fix


def test_what_the_doctor_learned_is_not_asked_again(
    bucket: BucketStorage, s3: FaultyS3, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_STAGING_STORE", bucket.location)
    assert examine(root)[0].state == "ok"
    s3.requests.clear()
    bucket.another().require_conditional_writes("staging/catalog/conditions.json")
    assert not s3.requests
