"""Choose the requests that are captured."""

from __future__ import annotations

from hashlib import blake2b

RANGE = float(1 << 64)


def is_sampled(event_id: str, share: float) -> bool:
    """Return whether a request is among the ``share`` of all that is captured.

    It depends on the id alone: an answer and its shadow are both captured or neither is, on any
    machine, and a larger share has every request of a smaller one.
    """
    if share >= 1:
        return True
    digest = blake2b(event_id.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / RANGE < share
