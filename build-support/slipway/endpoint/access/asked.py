"""What a request asks for, as tokens and IAM name it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from slipway.endpoint.access.tokens.grant import Action
from slipway.endpoint.containers.definition import CONTAINER
from slipway.server.client import TARGET

INVOCATIONS = re.compile(
    r"/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)"
)
OPERATION = "X-Amz-Target"
PREFIX = "SageMaker."
# of IAM, by the last part of the path
INVOKE = {
    "invocations": "sagemaker:InvokeEndpoint",
    "async-invocations": "sagemaker:InvokeEndpointAsync",
    "invocations-response-stream": "sagemaker:InvokeEndpointWithResponseStream",
}
NAMED = re.compile(r"[A-Za-z]{1,64}")


@dataclass(frozen=True)
class Asked:
    """``action`` is a token's; ``operation`` IAM's, and ``None`` of what AWS does not have.

    ``endpoint`` is ``None`` for all of them, ``target`` for an invocation that names none.
    """

    action: Action
    operation: str | None = None
    endpoint: str | None = None
    target: str | None = None
    container: str | None = None


def is_control(method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Return whether a request is one to the control plane."""
    return method == "POST" and path == "/" and OPERATION in headers


def what_is_asked(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Asked:
    """Return what a request asks for; what is nothing special is ``look``.

    ``body`` is needed of the control plane only: it names the endpoint.
    """
    invocation = INVOCATIONS.fullmatch(path)
    if invocation:
        target, container = headers.get(TARGET), headers.get(CONTAINER)
        return Asked("invoke", INVOKE[invocation[2]], invocation[1], target, container)
    if is_control(method, path, headers):
        operation = headers[OPERATION].removeprefix(PREFIX)
        if not NAMED.fullmatch(operation):
            return Asked("look")
        return Asked("look", f"sagemaker:{operation}", _named(body))
    return Asked("look")


def _named(body: bytes) -> str | None:
    """Return the endpoint of a request to the control plane."""
    try:
        name = json.loads(body or b"{}").get("EndpointName")
    except (ValueError, AttributeError, RecursionError):
        return None
    return name if isinstance(name, str) else None
