"""The failures of an invocation, with the messages and codes of SageMaker's runtime.

Types and codes: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import json
from typing import Any

from slipway.triton.json_depth import DEEPEST


class Failure(Exception):
    """A response other than 200: ``type`` becomes ``x-amzn-ErrorType``."""

    def __init__(self, status: int, type: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.message = message
        self.more = more

    def body(self) -> bytes:
        """Return the JSON that botocore reads."""
        return json.dumps({"Message": self.message, "message": self.message, **self.more}).encode()


def invalid(message: str) -> Failure:
    """Return a 400: the request is invalid."""
    return Failure(400, "ValidationError", message)


def too_deep() -> Failure:
    """Return a 424 of a request that would end the server, with the status that a container which
    survives it gives."""
    return model_error(
        400,
        f"the request's JSON is nested more than {DEEPEST} levels deep, which could end Triton: it"
        " was not sent. A tensor's data needs one level for each dimension, and may also be flat",
    )


def denied(endpoint: str, target: str, key: str = "sagemaker:TargetModel") -> Failure:
    """Return a 403: no policy allows this caller to ask for the target model, or the container if
    that is the condition ``key``."""
    return Failure(
        403,
        "AccessDeniedException",
        "the caller is not authorized to perform: sagemaker:InvokeEndpoint on resource:"
        f" endpoint/{endpoint} with {key} {target!r}:"
        " no --allow pattern matches it",
    )


def too_large(limit: int) -> Failure:
    """Return a 413; AWS gives it no error type, so that botocore shows the number."""
    return Failure(413, "", f"HTTP content length exceeded {limit} bytes.")


def not_ready(target: str, seconds: float, waits_for: str) -> Failure:
    """Return a 429: loading continues, and a later invocation finds the model. ``waits_for`` says
    what its load waits for before it begins, or is empty."""
    if waits_for:
        return Failure(
            429,
            "ModelNotReadyException",
            f"target model {target!r} waits for {waits_for} after {seconds:g} s; it is loaded once"
            " there is some: retry this invocation later",
        )
    return Failure(
        429,
        "ModelNotReadyException",
        f"target model {target!r} is still being loaded after {seconds:g} s;"
        " loading continues: retry this invocation later",
    )


def unavailable(message: str) -> Failure:
    """Return a 503: nothing can be served at the moment."""
    return Failure(503, "ServiceUnavailable", message)


def model_error(status: int, message: str, container: str = "primary") -> Failure:
    """Return a 424: the container answered with an error, or not at all (``status`` 0)."""
    return Failure(
        424,
        "ModelError",
        f'Received {"client" if 400 <= status < 500 else "server"} error ({status})'
        f' from {container} with message "{message}"',
        ErrorCode="CLIENT_ERROR_FROM_MODEL" if 400 <= status < 500 else "SERVER_ERROR_FROM_MODEL",
        LogStreamArn="",
        OriginalMessage=message,
        OriginalStatusCode=status,
    )


def internal() -> Failure:
    """Return a 500: a bug of this program, whose traceback is on its terminal."""
    return Failure(500, "InternalFailure", "a bug in slipway; its terminal shows more")
