"""Constants that an endpoint and its clients share."""

from __future__ import annotations

LARGEST_BODY = 6_291_456  # bytes of a request: 6 MiB (AWS, InvokeEndpoint)
LARGEST_OF_ALL = 25_000_000  # bytes: 25 MB, by AWS's hosting FAQ; see Limits
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"  # of a request
# a header of our own, not SageMaker's: "hit", or "load" if the invocation waited for a load
CACHE = "X-Slipway-Model-Cache"
