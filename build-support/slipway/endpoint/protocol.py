"""What an endpoint and those who ask it have to agree on."""

from __future__ import annotations

LARGEST_BODY = 6_291_456  # bytes of a request: 6 MiB (AWS, InvokeEndpoint)
# a header of our own, not of SageMaker: "hit", or "load" where the invocation waited for one
CACHE = "X-Slipway-Model-Cache"
