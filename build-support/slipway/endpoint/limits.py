"""The limits of one instance of an endpoint, and the platform's timeouts."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.endpoint.protocol import LARGEST_BODY


@dataclass(frozen=True)
class Limits:
    """``models`` loaded at once, bytes of ``memory`` and ``disk``; 0 is no limit.

    ``body`` is the largest request in bytes. AWS's pages disagree about it: 6 MiB in the reference
    of InvokeEndpoint (API_runtime_InvokeEndpoint), 25 MB for real-time inference in
    https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs.html.

    The times, in seconds, are AWS's: an invocation waits ``not_ready_s`` for a model, which may
    take ``load_s`` in all
    (https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html), a container has
    ``invocation_s`` to answer and ``unload_s`` to unload
    (https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html). The server is pinged
    every ``ping_s``.
    """

    models: int = 0
    memory: int = 0
    disk: int = 0
    cached: bool = True
    body: int = LARGEST_BODY
    not_ready_s: float = 60.0
    load_s: float = 360.0
    invocation_s: float = 60.0
    unload_s: float = 360.0
    ping_s: float = 5.0
