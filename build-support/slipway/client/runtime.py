"""Invoke one endpoint, in AWS or on this machine, through boto3's ``sagemaker-runtime``."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)

from slipway.aws import NO_CREDENTIALS, no_credentials
from slipway.capture.inference_id import PROBE
from slipway.client.errors import ConnectionFailed, InvocationError, translate_response
from slipway.endpoint.protocol import LARGEST_BODY
from slipway.errors import SlipwayError
from slipway.triton.json_depth import DEEPEST, has_deep_json

# SageMaker answers an invocation within 60 s (AWS, InvokeEndpoint); the rest is for the network
READ_TIMEOUT_S = 70.0
CONNECT_TIMEOUT_S = 5.0
CONNECTIONS = 64  # kept open by one client: as many threads can invoke at once
SHORTEST_WAIT_S, FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 0.2, 10.0
# an endpoint that is unreachable for longer is not just being restarted
CONNECTING_S = 15.0
LOCAL_REGION = "us-east-1"
# boto3 signs every request; a local endpoint on loopback does not check the signature
LOCAL = {
    "region_name": LOCAL_REGION,
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
}

_WAS_LOADED = {"hit": True, "load": False}

OnRetry = Callable[[str], None]
"""Called before each wait with why the attempt failed: SageMaker's code, or ``connection``."""


class Reply(NamedTuple):
    """The response of the container, undecoded, the id of its request (a random one, if it came
    without), and the variant. ``was_loaded`` is whether the model was, as a local endpoint says."""

    body: bytes
    content_type: str
    request_id: str = ""
    variant: str = ""
    was_loaded: bool | None = None


class Runtime:
    """One endpoint, invoked over persistent connections. Safe to use from several threads.

    ``url`` is that of an endpoint on this machine. Without it, ``name`` is an endpoint in AWS, in
    ``region`` and with ``profile``, or else with those of AWS's own configuration.

    An endpoint at ``url`` that asks who calls gets the ``token``, or, if it ``signs``, signatures
    as one in AWS. The token is never sent to AWS. With ``is_probe`` its requests are named as no
    traffic, and not captured.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        largest_body: int = LARGEST_BODY,
        token: str | None = None,
        signs: bool = False,
        is_probe: bool = False,
    ) -> None:
        token = token if url else None
        self.name = name
        self.largest_body = largest_body
        self._inference_id = PROBE if is_probe else None
        self.where = f"endpoint {name}" + (f" at {url}" if url else "")
        place: dict[str, Any] = {"region_name": region}
        if url:
            place = {"region_name": region or LOCAL_REGION} if signs and not token else LOCAL
            place = {"endpoint_url": url, **place}
        try:
            session = boto3.session.Session(profile_name=profile if signs or not url else None)
            self._client: Any = session.client(
                "sagemaker-runtime",
                config=Config(
                    # the retries below are the only ones: two layers of them would multiply
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    connect_timeout=CONNECT_TIMEOUT_S,
                    read_timeout=READ_TIMEOUT_S,
                    max_pool_connections=CONNECTIONS,
                    tcp_keepalive=True,
                    # a company's proxy does not lead to this machine
                    proxies={} if url else None,
                    signature_version=UNSIGNED if token else None,
                ),
                **place,
            )
        except (BotoCoreError, ValueError) as error:
            raise SlipwayError(
                f"boto3 cannot be set up: {error}",
                where=self.where,
                fix=(
                    "a URL looks like http://127.0.0.1:8090"
                    if url
                    else "correct region and profile in slipway.toml, or in ~/.aws/config"
                ),
            ) from error
        if token:
            self._client.meta.events.register("before-send", _Bearer(token))

    def invoke(
        self,
        target: str,
        body: bytes,
        content_type: str,
        *,
        parameters: Mapping[str, str] | None = None,
        inference_id: str | None = None,
        deadline_s: float = 0.0,
        on_retry: OnRetry | None = None,
    ) -> Reply:
        """Return the response of the target model to ``body``.

        ``parameters`` are those of InvokeEndpoint that name what answers, in the place of
        TargetModel: a container, or none of a pipeline. ``inference_id`` is what capture files
        say of the request.

        While SageMaker throttles, the model is loading, or there is no connection, the request is
        sent again, after random waits that grow. No attempt begins later than ``deadline_s``, and
        without a connection none after 15 s.

        Raises:
            ModelError: the model refused the request, or failed on it.
            InvocationError: SageMaker refused it.
            ConnectionFailed: there was no response.
            SlipwayError: no credentials, no response in 70 s, or an incomplete one; or the
                request's JSON is nested so deeply that it could end the server, and is not sent.
        """
        if has_deep_json(body, content_type):
            raise SlipwayError(
                f"the request's JSON is nested more than {DEEPEST} levels deep",
                where=f"{self.where}, {target}",
                fix="send a tensor's data flat, or with one level for each dimension",
            )
        named = {"TargetModel": target} if parameters is None else dict(parameters)
        if inference_id := self._inference_id or inference_id:
            named["InferenceId"] = inference_id
        began = time.monotonic()
        longest_wait = FIRST_WAIT_S
        while True:
            try:
                return self._invoke(target, body, content_type, named)
            except (ConnectionFailed, InvocationError) as error:
                if isinstance(error, InvocationError) and not error.temporary:
                    raise
                limit = deadline_s
                if isinstance(error, ConnectionFailed):
                    limit = min(deadline_s, CONNECTING_S)
                # random, so that clients that failed together do not come back together
                wait = random.uniform(SHORTEST_WAIT_S, longest_wait)
                if time.monotonic() - began + wait >= limit:
                    raise
                if on_retry is not None:
                    on_retry(getattr(error, "code", "connection"))
            time.sleep(wait)
            longest_wait = min(2 * longest_wait, LONGEST_WAIT_S)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _invoke(
        self, target: str, body: bytes, content_type: str, named: Mapping[str, str]
    ) -> Reply:
        try:
            response = self._client.invoke_endpoint(
                EndpointName=self.name,
                ContentType=content_type,
                Body=body,
                **named,
            )
        except ClientError as error:
            raise translate_response(error.response, f"{self.where}, {target}") from error
        except (ConnectionError, ConnectionClosedError) as error:
            raise ConnectionFailed(
                f"not reached: {error}",
                where=self.where,
                fix="check that it is up and reachable over the network",
            ) from error
        except NO_CREDENTIALS as error:
            raise no_credentials(error, self.where) from error
        except ReadTimeoutError as error:
            raise SlipwayError(
                f"no answer in {READ_TIMEOUT_S:g} s",
                where=f"{self.where}, {target}",
                fix="SageMaker gives a model 60 s: send fewer rows at once",
            ) from error
        except (BotoCoreError, HTTPClientError) as error:
            raise SlipwayError(
                f"boto3 cannot send it: {error}",
                where=self.where,
                fix="check the AWS configuration",
            ) from error
        headers = response["ResponseMetadata"].get("HTTPHeaders", {})
        try:
            return Reply(
                response["Body"].read(),
                response.get("ContentType", ""),
                response["ResponseMetadata"].get("RequestId") or str(uuid.uuid4()),
                response.get("InvokedProductionVariant", ""),
                _WAS_LOADED.get(headers.get("x-slipway-model-cache", "")),
            )
        except (BotoCoreError, HTTPClientError, OSError) as error:
            raise SlipwayError(
                f"the response is incomplete: {error}", where=self.where, fix="invoke it again"
            ) from error


class _Bearer:
    """Adds a token to the requests of one client."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def __call__(self, request: Any, **_: Any) -> None:
        request.headers["Authorization"] = self._header
