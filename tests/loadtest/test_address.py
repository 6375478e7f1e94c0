"""Where requests go, and how they are signed for AWS."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.loadtest import address
from slipway.loadtest.answer import Request
from slipway.loadtest.generator import Generator
from slipway.settings import EndpointSettings
from tests.loadtest import stand_in

REQUEST = Request("m_1.0.0.tar.gz", b"body", "application/json")
AWS = EndpointSettings("staging", endpoint_name="models-staging", region="eu-west-1")


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of AWS that are made up, and no others."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made up")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_local_endpoint_gets_no_signature() -> None:
    found = address.of(EndpointSettings("local"), Path("/"), "http://127.0.0.1:1/")
    assert found.here and found.url == "http://127.0.0.1:1/endpoints/local/invocations"
    assert set(found.headers(REQUEST)) == {stand_in.TARGET, "Content-Type"}


def test_without_a_local_endpoint_its_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError) as refused:
        address.of(EndpointSettings("local"), tmp_path)
    assert "slipway endpoint up" in str(refused.value.fix)


def test_an_endpoint_in_aws_is_asked_where_it_is(credentials: None) -> None:
    found = address.of(AWS, Path("/"))
    assert not found.here
    assert found.url == (
        "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/models-staging/invocations"
    )


def test_what_aws_gets_is_signed(credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_in.serving(stand_in.Endpoint()) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", served.url)
        found = address.of(AWS, Path("/"))

        async def once() -> None:
            async with Generator(found) as generator:
                assert (await generator.send(REQUEST, 0.0)).error is None

        asyncio.run(once())
    (seen,) = served.seen
    assert seen["path"] == "/endpoints/models-staging/invocations"
    assert seen["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/sagemaker/aws4_request" in seen["Authorization"]
    signed = seen["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amzn-sagemaker-target-model", "content-type"} <= set(signed)
    assert seen["X-Amz-Content-SHA256"] == hashlib.sha256(b"body").hexdigest()
    assert seen["Host"] == served.url.removeprefix("http://")


def test_missing_credentials_and_regions_are_named(
    credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SlipwayError, match="no AWS credentials"):
        address.of(AWS, Path("/"))
    with pytest.raises(SlipwayError, match="endpoint.staging") as refused:
        address.of(EndpointSettings("staging", endpoint_name="x", profile="none-such"), Path("/"))
    assert refused.value.fix
