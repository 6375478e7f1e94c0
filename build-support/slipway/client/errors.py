"""Errors of an endpoint, and how to fix each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.errors import SlipwayError
from slipway.triton import kserve

# retried: the same request may succeed later
THROTTLED = "ThrottlingException"
NOT_READY = "ModelNotReadyException"
UNAVAILABLE = "ServiceUnavailable"
TEMPORARY_STATUS = {429, 503}


class InvocationError(SlipwayError):
    """The endpoint refused an invocation. ``status`` is HTTP's, ``code`` SageMaker's, such as
    ``ThrottlingException``."""

    def __init__(self, what: str, *, status: int, code: str, where: str, fix: str) -> None:
        super().__init__(what, where=where, fix=fix)
        self.status = status
        self.code = code

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed a little later."""
        return self.status in TEMPORARY_STATUS


class ModelError(InvocationError):
    """The model, or the server around it, failed on the request. ``status`` and ``message`` are the
    container's own: 400 where the model refused the request or failed on it, 0 where it did not
    respond."""

    def __init__(self, message: str, *, status: int, where: str) -> None:
        super().__init__(
            f"the model answers {status}: {message}" if status else f"no answer: {message}",
            status=status,
            code="ModelError",
            where=where,
            fix="correct the request, or the model: the message above is the model's own",
        )
        self.message = message

    @property
    def temporary(self) -> bool:
        """Never: SageMaker reached the model, and the model itself failed."""
        return False


class ConnectionFailed(SlipwayError):
    """The endpoint was not reached, or closed the connection before it responded."""


def translate_response(response: Mapping[str, Any], where: str) -> InvocationError:
    """Return the error for a response other than 200, as botocore parsed it.

    Codes: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
    """
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    error = response.get("Error", {})
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    if code == "ModelError":
        original = int(response.get("OriginalStatusCode", 0))
        text = str(response.get("OriginalMessage") or message)
        return ModelError(kserve.message_of(original, text.encode()), status=original, where=where)
    what = f"{code} ({status}): {message or 'no message'}"
    return InvocationError(what, status=status, code=code, where=where, fix=_fix(code, status))


def _fix(code: str, status: int) -> str:
    if code == NOT_READY:
        return "the model is still being loaded: invoke it later, or raise deadline_s"
    if code == THROTTLED or status in TEMPORARY_STATUS:
        return "the endpoint is busy: send fewer requests at once, or let it scale out"
    if code == "AccessDeniedException":
        return (
            "allow sagemaker:InvokeEndpoint on the endpoint, and the target model where the policy"
            " has a condition on sagemaker:TargetModel"
        )
    if code in ("ValidationError", "ValidationException"):
        return (
            "check that this endpoint exists and serves the store and stage that the alias comes"
            " from: endpoint_name, store and stage of [endpoint.<name>] in slipway.toml"
        )
    if status == 413:
        return "send fewer rows at once"
    if status == 401:
        return "SLIPWAY_TOKEN=$(slipway token create NAME), or Endpoint(..., token=…)"
    if code in (
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "ExpiredTokenException",
    ):
        return "renew the AWS credentials"
    return "invoke it again; if the error persists, see the endpoint's log"
