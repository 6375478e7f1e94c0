"""A bounded, fair sample of a stream of captured requests."""

from __future__ import annotations

import heapq
from hashlib import blake2b

import numpy as np

from slipway.capture.record import CapturedRequest
from slipway.triton.datatypes import Array

OVERHEAD = 2_000  # bytes of a request's own objects
HASH = 8  # bytes


class RequestSample:
    """The requests of one release, at most ``limit`` bytes of tensors.

    Where more come in, those with the smallest hash of their event id stay: each request has the
    same chance, whatever the order, and equal requests give an equal sample.
    """

    def __init__(self, limit: int) -> None:
        self.seen = 0
        self._limit = limit
        self._bytes = 0
        self._bound = 1 << (8 * HASH)  # hashes from here on do not stay
        self._heap: list[tuple[int, int, int, CapturedRequest]] = []

    def add(self, request: CapturedRequest) -> None:
        """Take one more request."""
        self.seen += 1
        digest = blake2b(
            request.event_id.encode(errors="replace"), digest_size=HASH, person=b"drift"
        )
        hashed = int.from_bytes(digest.digest(), "big")
        if hashed >= self._bound:
            return
        size = _size(request)
        heapq.heappush(self._heap, (-hashed, self.seen, size, request))
        self._bytes += size
        while self._bytes > self._limit and len(self._heap) > 1:
            negative, _, size, _ = heapq.heappop(self._heap)
            self._bound = -negative
            self._bytes -= size

    @property
    def kept(self) -> int:
        """The number of requests that stay."""
        return len(self._heap)

    def requests(self) -> list[CapturedRequest]:
        """Return those that stay, in the order of their time."""
        kept = (request for *_, request in self._heap)
        return sorted(kept, key=lambda request: (request.when, request.event_id))


def _size(request: CapturedRequest) -> int:
    tensors = [*request.inputs.values(), *request.outputs.values()]
    return OVERHEAD + sum(map(_tensor_size, tensors))


def _tensor_size(tensor: Array) -> int:
    if tensor.dtype != np.object_:
        return int(tensor.nbytes)
    return sum(len(value) + 64 for value in tensor.ravel() if isinstance(value, bytes | str))
