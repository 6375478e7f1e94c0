"""Requests that are no traffic: those of explanations, smoke tests and load tests."""

from __future__ import annotations

# begins their InferenceId, which SageMaker's own capture files keep as well
PROBE = "slipway-probe"


def is_probe(inference_id: str) -> bool:
    """Return whether a request with this InferenceId is one of Slipway's own, and not captured:
    what is drawn for an explanation would look like drift."""
    return inference_id.startswith(PROBE)
