"""Sessions of boto3 that share AWS's descriptions of its services, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ProfileNotFound
from botocore.loaders import JSONFileLoader

from slipway.store.s3.session import create_session


def test_a_second_client_reads_no_description_again(
    aws: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_session().client("s3")

    def refuse(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(JSONFileLoader, "load_file", refuse)
    create_session().client("s3")


def test_each_session_has_the_configuration_of_its_time(
    aws: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (aws / "config").write_text("[profile other]\nregion = eu-west-3\n")
    first = create_session().client("s3")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    second = create_session().client("s3")
    assert first.meta.region_name == "us-east-1"
    assert second.meta.region_name == "eu-central-1"
    assert second.meta.endpoint_url == "http://127.0.0.1:1"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert create_session("other").client("s3").meta.region_name == "eu-west-3"


def test_a_profile_that_is_not_configured_is_not_found(aws: Path) -> None:
    with pytest.raises(ProfileNotFound, match="nobody"):
        create_session("nobody").client("s3")
