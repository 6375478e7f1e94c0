"""Invocations of one endpoint, in AWS or on this machine, through boto3's ``sagemaker-runtime``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import tenacity
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)

from slipway.client.errors import ConnectionFailed, InvocationError, of_response
from slipway.endpoint import registry
from slipway.errors import SlipwayError
from slipway.settings import Endpoint as Entry

# SageMaker answers an invocation within 60 s (AWS, InvokeEndpoint); a little more for the way
READ_TIMEOUT_S = 70.0
CONNECT_TIMEOUT_S = 5.0
CONNECTIONS = 64  # that one client keeps open, as many as threads that ask at once
SHORTEST_WAIT_S, FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 0.2, 10.0
# who is not reached for so long is not only being restarted
CONNECTING_S = 15.0
# what the local endpoint's client signs with: nobody checks it, but boto3 wants some
LOCAL = {
    "region_name": "us-east-1",
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
}

type Retried = Callable[[str], None]
"""Told before each wait why the attempt failed: SageMaker's code, or ``connection``."""


class Reply(NamedTuple):
    """What the container answered, as it came."""

    body: bytes
    content_type: str


class Runtime:
    """One endpoint, asked over kept connections. Safe to use from several threads.

    ``url`` is that of an endpoint on this machine; without it, ``name`` is looked up in AWS, with
    the ``region`` and ``profile`` given or else those of AWS's own configuration.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
    ) -> None:
        self.name = name
        self.where = f"endpoint {name}" + (f" at {url}" if url else "")
        place: dict[str, Any] = {"endpoint_url": url, **LOCAL} if url else {"region_name": region}
        try:
            session = boto3.session.Session(profile_name=None if url else profile)
            self._client: Any = session.client(
                "sagemaker-runtime",
                config=Config(
                    # the retries below are the only ones: two layers of them would multiply
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    connect_timeout=CONNECT_TIMEOUT_S,
                    read_timeout=READ_TIMEOUT_S,
                    max_pool_connections=CONNECTIONS,
                    tcp_keepalive=True,
                    # a proxy of the company's does not lead to this machine
                    proxies={} if url else None,
                ),
                **place,
            )
        except (BotoCoreError, ValueError) as error:
            raise SlipwayError(
                f"boto3 cannot be set up: {error}",
                where=self.where,
                fix=(
                    "an address is such as http://127.0.0.1:8090"
                    if url
                    else "correct region and profile of the endpoint in slipway.toml, or ~/.aws/config"
                ),
            ) from error

    def invoke(
        self,
        target: str,
        body: bytes,
        content_type: str,
        *,
        deadline_s: float = 0.0,
        retried: Retried | None = None,
    ) -> Reply:
        """The answer of the target model to ``body``.

        While it is throttled, the model is being loaded, or there is no connection, it is asked
        again, after random waits that grow; no attempt begins later than ``deadline_s``, and
        without a connection none after 15 s.

        Raises:
            ModelError: the model refused the request, or failed on it.
            InvocationError: SageMaker refused it.
            ConnectionFailed: nobody answered.
            SlipwayError: no credentials, no answer in 70 s, or one that broke off.
        """

        def told(state: tenacity.RetryCallState) -> None:
            if retried and state.outcome:
                retried(getattr(state.outcome.exception(), "code", "connection"))

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_temporary),
            wait=tenacity.wait_random_exponential(
                FIRST_WAIT_S, max=LONGEST_WAIT_S, min=SHORTEST_WAIT_S
            ),
            stop=functools.partial(_stop, deadline_s),
            before_sleep=told,
            reraise=True,
        )
        reply: Reply = retrying(self._invoke, target, body, content_type)
        return reply

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _invoke(self, target: str, body: bytes, content_type: str) -> Reply:
        try:
            response = self._client.invoke_endpoint(
                EndpointName=self.name, TargetModel=target, ContentType=content_type, Body=body
            )
        except ClientError as error:
            raise of_response(error.response, f"{self.where}, {target}") from error
        except (ConnectionError, ConnectionClosedError) as error:
            raise ConnectionFailed(
                f"not reached: {error}",
                where=self.where,
                fix="check that it is up and that the network leads there",
            ) from error
        except NoCredentialsError as error:
            raise SlipwayError(
                "no AWS credentials", where=self.where, fix="aws configure, or set AWS_PROFILE"
            ) from error
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
        try:
            return Reply(response["Body"].read(), response["ContentType"])
        except (BotoCoreError, HTTPClientError, OSError) as error:
            raise SlipwayError(
                f"the answer broke off: {error}", where=self.where, fix="ask again"
            ) from error


def find(entry: Entry, root: Path, url: str | None = None) -> Runtime:
    """The endpoint that ``entry`` describes: AWS's if it has an ``endpoint_name``, else the one that
    runs on this machine, at ``url`` or as ``slipway endpoint up`` recorded it below ``root``.

    Raises:
        SlipwayError: none runs; or boto3's configuration is wrong.
    """
    if entry.endpoint_name and url is None:
        return Runtime(entry.endpoint_name, region=entry.region, profile=entry.profile)
    return Runtime(entry.name, url=url or registry.find_url(root, entry.name))


def _stop(deadline_s: float, state: tenacity.RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    lost = isinstance(error, ConnectionFailed)
    return tenacity.stop_before_delay(min(deadline_s, CONNECTING_S) if lost else deadline_s)(state)


def _temporary(error: BaseException) -> bool:
    return isinstance(error, ConnectionFailed) or (
        isinstance(error, InvocationError) and error.temporary
    )
