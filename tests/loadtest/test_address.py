"""The address of requests, and their signature for AWS."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from slipway.capture.inference_id import is_probe
from slipway.endpoint.protocol import INFERENCE_ID
from slipway.errors import SlipwayError
from slipway.loadtest.address import resolve_address
from slipway.loadtest.exchange import Request
from slipway.loadtest.generator import Generator
from slipway.settings import EndpointSettings
from tests.loadtest import fake_endpoint

REQUEST = Request("m_1.0.0.tar.gz", b"body", "application/json")
AWS = EndpointSettings("staging", endpoint_name="models-staging", region="eu-west-1")


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set invented AWS credentials, and hide all others."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_local_endpoint_gets_no_signature() -> None:
    resolved = resolve_address(EndpointSettings("local"), Path("/"), "http://127.0.0.1:1/")
    assert resolved.is_local and resolved.url == "http://127.0.0.1:1/endpoints/local/invocations"
    headers = resolved.headers(REQUEST)
    assert set(headers) == {fake_endpoint.TARGET, "Content-Type", INFERENCE_ID}
    assert is_probe(headers[INFERENCE_ID])


def test_without_a_local_endpoint_its_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError) as refused:
        resolve_address(EndpointSettings("local"), tmp_path)
    assert "slipway endpoint up" in str(refused.value.fix)


def test_the_url_of_an_endpoint_in_aws_is_that_of_its_region(credentials: None) -> None:
    resolved = resolve_address(AWS, Path("/"))
    assert not resolved.is_local
    assert resolved.url == (
        "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/models-staging/invocations"
    )


def test_requests_to_aws_are_signed(credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_endpoint.serving(fake_endpoint.FakeEndpoint()) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", running.url)
        resolved = resolve_address(AWS, Path("/"))

        async def send() -> None:
            async with Generator(resolved) as generator:
                assert (await generator.send(REQUEST, 0.0)).error is None

        asyncio.run(send())
    (seen,) = running.seen
    assert seen["path"] == "/endpoints/models-staging/invocations"
    assert seen["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/sagemaker/aws4_request" in seen["Authorization"]
    signed = seen["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amzn-sagemaker-target-model", "content-type"} <= set(signed)
    assert seen["X-Amz-Content-SHA256"] == hashlib.sha256(b"body").hexdigest()
    assert seen["Host"] == running.url.removeprefix("http://")


def test_missing_credentials_and_regions_are_named(
    credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SlipwayError, match="no AWS credentials"):
        resolve_address(AWS, Path("/"))
    with pytest.raises(SlipwayError, match="endpoint.staging") as refused:
        resolve_address(
            EndpointSettings("staging", endpoint_name="x", profile="none-such"), Path("/")
        )
    assert refused.value.fix
