"""What a pipeline meets outside of GitLab: a bucket, two endpoints that serve it, and AWS's STS."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from slipway import settings
from slipway.endpoint import serving
from tests.store import faulty
from tests.store.faulty import FaultyS3

BUCKET = "releases"
ROLE = "arn:aws:iam::123456789012:role/slipway-ci"
STAGES = ("staging", "production")


@dataclass(frozen=True)
class Platform:
    """``variables`` are what a project of GitLab has configured."""

    variables: dict[str, str]
    url: str


@contextlib.contextmanager
def up(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """The endpoints ``staging`` and ``production`` of the repository at ``root``, over a bucket of
    moto's S3 server, until the block ends."""
    stack = contextlib.ExitStack()
    aws = stack.enter_context(faulty.serving(FaultyS3())).url  # whose conditions are one step
    for key in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(key, raising=False)
    here = {
        "AWS_ENDPOINT_URL_S3": aws,
        "AWS_ENDPOINT_URL_STS": aws,
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(root.parent / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(root.parent / "aws-credentials"),
        **{f"SLIPWAY_{stage.upper()}_STORE": f"s3://{BUCKET}/team" for stage in STAGES},
    }
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for key, value in (here | keys).items():
        monkeypatch.setenv(key, value)
    try:
        boto3.client("s3").create_bucket(
            Bucket=BUCKET,
            CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        )
        configured = settings.load(root)
        wanted = [configured.endpoint(stage) for stage in STAGES]
        with serving.serve_in_thread(configured, wanted) as served:
            in_gitlab = {
                **here,
                "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": served.url,
                "AWS_ROLE_ARN": ROLE,
                # what GitLab would sign; moto's STS takes any
                "AWS_ID_TOKEN": "header.payload.signature",
                **{f"SLIPWAY_{stage.upper()}_ENDPOINT": stage for stage in STAGES},
            }
            yield Platform(in_gitlab, served.url)
    finally:
        stack.close()
