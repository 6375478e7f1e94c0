"""Find the endpoint that a load test sends to: a local one, or one in AWS with signed requests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from slipway.capture.inference_id import PROBE
from slipway.endpoint.protocol import INFERENCE_ID
from slipway.errors import SlipwayError
from slipway.loadtest.exchange import Request
from slipway.server.client import TARGET
from slipway.settings import EndpointSettings

type Sign = Callable[[str, Mapping[str, str], bytes], Mapping[str, str]]


@dataclass(frozen=True)
class Address:
    """An endpoint's URL for invocations; ``sign`` returns the headers that its guard requires.
    ``is_local`` unless it is in AWS. A server in a network of its own is entered through the folder
    ``entrance``."""

    url: str
    sign: Sign | None = None
    is_local: bool = True
    entrance: Path | None = None

    def headers(self, request: Request) -> Mapping[str, str]:
        """Return the headers to send with ``request``."""
        plain = {
            TARGET: request.target,
            "Content-Type": request.content_type,
            INFERENCE_ID: PROBE,
        }
        return self.sign(self.url, plain, request.body) if self.sign else plain


def resolve_address(endpoint: EndpointSettings, root: Path, url: str | None = None) -> Address:
    """Return the address of ``endpoint``.

    It is ``url`` if set, in AWS if the endpoint has an ``endpoint_name``, else where the local
    process is registered.

    Raises:
        SlipwayError: no local endpoint runs, or AWS's region or credentials are missing.
    """
    from slipway.client.open_runtime import chosen_token
    from slipway.client.runtime import LOCAL_REGION
    from slipway.endpoint import registry

    if endpoint.endpoint_name and not url:
        return _aws(endpoint, endpoint.endpoint_name)
    token = chosen_token(None)
    signs = endpoint.credentials is not None or (
        not url and registry.asks_for_credentials(root, endpoint.name)
    )
    address = local_address(url or registry.find_url(root, endpoint.name), endpoint.name)
    if token:
        return replace(address, sign=_bearer(token))
    return replace(address, sign=_signer(endpoint, LOCAL_REGION)[0]) if signs else address


def local_address(url: str, name: str) -> Address:
    """Return the address of the endpoint ``name`` in a process that serves at ``url``."""
    return Address(_invocations(url, name))


def _bearer(token: str) -> Sign:
    def add(url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        return {**headers, "Authorization": f"Bearer {token}"}

    return add


def _invocations(url: str, name: str) -> str:
    return f"{url.rstrip('/')}/endpoints/{quote(name, safe='')}/invocations"


def _aws(endpoint: EndpointSettings, name: str) -> Address:
    sign, url = _signer(endpoint)
    return Address(_invocations(url, name), sign=sign, is_local=False)


def _signer(endpoint: EndpointSettings, default_region: str | None = None) -> tuple[Sign, str]:
    """Return what signs for an endpoint, and the address of its region in AWS."""
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError

    where = f"slipway.toml: endpoint.{endpoint.name}"
    try:
        session = boto3.Session(profile_name=endpoint.profile, region_name=endpoint.region)
        client = session.client(
            "sagemaker-runtime", region_name=session.region_name or default_region
        )
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise SlipwayError(
            str(error), where=where, fix="set region and profile, or AWS_REGION"
        ) from error
    if credentials is None:
        raise SlipwayError(
            "no AWS credentials", where=where, fix="run aws configure, or set profile"
        )
    region = client.meta.region_name

    def sign(url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        request = AWSRequest("POST", url, dict(headers), body)
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
        # credentials that expire are renewed by botocore when they are frozen
        SigV4Auth(credentials.get_frozen_credentials(), "sagemaker", region).add_auth(request)
        return dict(request.headers.items())

    return sign, client.meta.endpoint_url
