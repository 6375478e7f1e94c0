"""Find the endpoint that a load test sends to: a local one, or one in AWS with signed requests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from slipway.errors import SlipwayError
from slipway.loadtest.exchange import Request
from slipway.server.client import TARGET
from slipway.settings import EndpointSettings

type Sign = Callable[[str, Mapping[str, str], bytes], Mapping[str, str]]


@dataclass(frozen=True)
class Address:
    """An endpoint's URL for invocations; ``sign`` returns the headers that AWS requires."""

    url: str
    sign: Sign | None = None

    @property
    def is_local(self) -> bool:
        """Return whether the endpoint runs on this machine."""
        return self.sign is None

    def headers(self, request: Request) -> Mapping[str, str]:
        """Return the headers to send with ``request``."""
        plain = {TARGET: request.target, "Content-Type": request.content_type}
        return self.sign(self.url, plain, request.body) if self.sign else plain


def resolve_address(endpoint: EndpointSettings, root: Path, url: str | None = None) -> Address:
    """Return the address of ``endpoint``.

    It is ``url`` if set, in AWS if the endpoint has an ``endpoint_name``, else where the local
    process is registered.

    Raises:
        SlipwayError: no local endpoint runs, or AWS's region or credentials are missing.
    """
    if url:
        return local_address(url, endpoint.name)
    if endpoint.endpoint_name:
        return _aws(endpoint, endpoint.endpoint_name)
    from slipway.endpoint import registry

    return local_address(registry.find_url(root, endpoint.name), endpoint.name)


def local_address(url: str, name: str) -> Address:
    """Return the address of the endpoint ``name`` in a process that serves at ``url``."""
    return Address(_invocations(url, name))


def _invocations(url: str, name: str) -> str:
    return f"{url.rstrip('/')}/endpoints/{quote(name, safe='')}/invocations"


def _aws(endpoint: EndpointSettings, name: str) -> Address:
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError

    where = f"slipway.toml: endpoint.{endpoint.name}"
    try:
        session = boto3.Session(profile_name=endpoint.profile, region_name=endpoint.region)
        client = session.client("sagemaker-runtime")
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

    return Address(_invocations(client.meta.endpoint_url, name), sign=sign)
