"""What Slipway says of a request in SageMaker's InferenceId, which capture files keep."""

from __future__ import annotations

PROBE = "slipway-probe"
SHADOW_OF = "slipway-shadow-of-"


def is_probe(inference_id: str) -> bool:
    """Return whether a request is one of Slipway's own, and not captured: those of explanations,
    smoke tests and load tests are no traffic, and would look like drift."""
    return inference_id.startswith(PROBE)


def shadow_of(event_id: str) -> str:
    """Return the InferenceId of the request to a shadow: an endpoint that captures it itself does
    not know that its answer is only compared. ``event_id`` is of the answer that was returned."""
    return f"{SHADOW_OF}{event_id}"


def shadowed_event(inference_id: str) -> str | None:
    """Return the event of the answer that a shadow's request belongs to; ``None`` for others."""
    event_id = inference_id[len(SHADOW_OF) :]
    return event_id if event_id and inference_id.startswith(SHADOW_OF) else None
