"""What went wrong, as the page shows it: what, where, and what to do."""

from __future__ import annotations

from typing import Any

from slipway.endpoint.failure import Failure
from slipway.errors import SlipwayError
from slipway.triton import kserve

ADVICE = {
    "ModelNotReadyException": "ask again in a few seconds: loading continues",
    "AccessDeniedException": "ask for a release that is allowed, or start the endpoint with another"
    " --allow (or with a token that allows it)",
    "ThrottlingException": "wait a little, and ask again",
    "ServiceUnavailable": "ask again in a moment; if it stays so, the endpoint's log says why",
    "ValidationError": "correct what the message names; slipway status shows what is published",
    "InternalFailure": "report it, with what the endpoint's terminal shows",
}
TOO_LARGE = "send fewer rows, scale pictures down, or start the endpoint with --largest-body"
OF_THE_MODEL = {
    "CLIENT_ERROR_FROM_MODEL": "the model refused the values: correct what its message names",
    "SERVER_ERROR_FROM_MODEL": "the model failed on these values: the server's log has more, and"
    " the code below asks the same again",
}


def describe(error: Failure | SlipwayError) -> dict[str, Any]:
    """Return an error as the JSON values that the page shows."""
    if isinstance(error, SlipwayError):
        return {
            "status": 400,
            "type": "not sent",
            "what": error.what,
            "where": error.where or "",
            "fix": error.fix or "",
        }
    fix = OF_THE_MODEL.get(str(error.more.get("ErrorCode")), ADVICE.get(error.type, ""))
    return {
        "status": error.status,
        "type": error.type or "Too large",
        "what": _said_by_model(error) if "OriginalMessage" in error.more else error.message,
        "where": "",
        "fix": TOO_LARGE if error.status == 413 else fix,
    }


def _said_by_model(error: Failure) -> str:
    """Return the message without the JSON that Triton wraps it in."""
    message = str(error.more["OriginalMessage"])
    return kserve.message_of(int(error.more.get("OriginalStatusCode", 0)), message.encode())
