"""What ``ci/airflow/deploy`` brings to the bucket, and what MWAA is to install."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from packaging.requirements import Requirement

from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.requirements import mwaa_requirements
from slipway.training.airflow.upload import upload
from tests.airflow.process import ROOT

LOCK = ROOT / "build-support" / "lockfiles" / "airflow.txt"
PLACES = TrainingPlaceSettings(bucket="training", region="us-east-1")
DESCRIPTION = "dags/slipway_training.json"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="training")
        yield boto3.resource("s3", region_name="us-east-1").Bucket("training")


@pytest.fixture
def dags(tmp_path: Path) -> Path:
    folder = tmp_path / "dags"
    shutil.copytree(ROOT / "ci" / "airflow" / "dags", folder)
    (folder / "slipway_training.json").write_text("{}\n")
    return folder


def test_all_is_uploaded_once_the_description_last_and_then_what_changed(
    bucket: Any, dags: Path
) -> None:
    first = upload(PLACES, dags, LOCK)
    assert first.written[-1] == DESCRIPTION
    assert {"requirements.txt", "dags/constraints.txt", "dags/slipway_training.py"} < {
        *first.written
    }
    assert {item.key for item in bucket.objects.all()} == {*first.written}
    assert upload(PLACES, dags, LOCK).written == ()
    (dags / "slipway_training.json").write_text('{"schema": 1}\n')
    (dags / "slipway_dags" / "tell.py").write_text("# other\n")
    assert upload(PLACES, dags, LOCK).written == ("dags/slipway_dags/tell.py", DESCRIPTION)


def test_what_we_no_longer_have_is_removed_and_what_others_have_stays(
    bucket: Any, dags: Path
) -> None:
    upload(PLACES, dags, LOCK)
    bucket.put_object(Key="dags/theirs.py", Body=b"x")
    (dags / "slipway_dags" / "tell.py").unlink()
    assert upload(PLACES, dags, LOCK).removed == ("dags/slipway_dags/tell.py",)
    keys = {item.key for item in bucket.objects.all()}
    assert "dags/theirs.py" in keys and "dags/slipway_dags/tell.py" not in keys


def test_a_dry_run_says_what_it_would_do_and_does_nothing(bucket: Any, dags: Path) -> None:
    assert DESCRIPTION in upload(PLACES, dags, LOCK, dry_run=True).written
    assert not list(bucket.objects.all())


def test_a_bucket_that_is_not_there_is_said_with_what_to_do(bucket: Any, dags: Path) -> None:
    places = TrainingPlaceSettings(bucket="elsewhere", region="us-east-1")
    with pytest.raises(SlipwayError, match="NoSuchBucket") as caught:
        upload(places, dags, LOCK)
    assert caught.value.fix


def test_mwaa_installs_the_providers_that_were_tested_and_keeps_its_own_airflow() -> None:
    lock = LOCK.read_text(encoding="utf-8")
    texts = mwaa_requirements(lock)
    lines = texts["requirements.txt"].splitlines()
    assert lines[0] == '--constraint "/usr/local/airflow/dags/constraints.txt"'
    for line in lines[1:]:
        assert re.search(rf"(?m)^{re.escape(line)} ", lock)
    names = {Requirement(line).name for line in texts["constraints.txt"].splitlines()}
    assert {"apache-airflow", "apache-airflow-core", "moto"}.isdisjoint(names)
    assert {"apache-airflow-providers-slack", "aiobotocore", "botocore"} <= names
