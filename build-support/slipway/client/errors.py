"""What an endpoint answers when it has no answer, and what to do then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.errors import SlipwayError
from slipway.triton import kserve

# retried: nothing was answered, and the same request may be answered later
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
        """Whether the same request may be answered a little later."""
        return self.status in TEMPORARY_STATUS


class ModelError(InvocationError):
    """The model, or the server around it, failed on the request. ``status`` and ``message`` are the
    container's own: 400 where the model refused the request or failed on it, 0 where it gave no
    answer."""

    def __init__(self, message: str, *, status: int, where: str) -> None:
        super().__init__(
            f"the model answers {status}: {message}" if status else f"no answer: {message}",
            status=status,
            code="ModelError",
            where=where,
            fix="mend the request, or the model: the message above is its own",
        )
        self.message = message

    @property
    def temporary(self) -> bool:
        """Never: SageMaker reached the model, and that is what it said."""
        return False


class ConnectionFailed(SlipwayError):
    """The endpoint was not reached, or went away before it answered anything."""


def of_response(response: Mapping[str, Any], where: str) -> InvocationError:
    """The error that botocore read from an answer that was not 200.

    Codes: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
    """
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    error = response.get("Error", {})
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    if code == "ModelError":
        original = int(response.get("OriginalStatusCode", 0))
        said = str(response.get("OriginalMessage") or message)
        return ModelError(kserve.message_of(original, said.encode()), status=original, where=where)
    what = f"{code} ({status}): {message or 'no word why'}"
    return InvocationError(what, status=status, code=code, where=where, fix=_fix(code, status))


def _fix(code: str, status: int) -> str:
    if code == NOT_READY:
        return "the model is still being loaded: ask again, or allow more time with deadline_s"
    if code == THROTTLED or status in TEMPORARY_STATUS:
        return "the endpoint is busy: send less at once, or let it scale out"
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
    if code in (
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "ExpiredTokenException",
    ):
        return "renew the AWS credentials"
    return "ask again; if it stays, the endpoint's log says more"
