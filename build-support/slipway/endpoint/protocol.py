"""Constants that an endpoint and its clients share."""

from __future__ import annotations

LARGEST_BODY = 6_291_456  # bytes of a request: 6 MiB (AWS, InvokeEndpoint)
# a header of our own, not SageMaker's: "hit", or "load" if the invocation waited for a load
CACHE = "X-Slipway-Model-Cache"
