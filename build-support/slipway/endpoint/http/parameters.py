"""The parameters of InvokeEndpoint beside TargetModel: what is not there is a ValidationError.

Names: botocore's service model of sagemaker-runtime. An ignored parameter would pass here and
fail, or go elsewhere, in AWS.
"""

from __future__ import annotations

from collections.abc import Mapping

from slipway.endpoint.containers.definition import CONTAINER
from slipway.endpoint.failure import Failure, invalid

VARIANT = "AllTraffic"
VARIANT_HEADER = "X-Amzn-SageMaker-Target-Variant"
# each with the reason why no multi-model endpoint of Triton has it
ABSENT = {
    "X-Amzn-SageMaker-Inference-Component": (
        "inference component",
        "a multi-model endpoint has none; name the model by TargetModel",
    ),
    CONTAINER: (
        "container",
        "there is one container, called without a host name",
    ),
    "X-Amzn-SageMaker-Session-Id": (
        "session",
        "Triton's container opens no stateful sessions; a sequence has its id in the request",
    ),
}
EXPLANATIONS = "X-Amzn-SageMaker-Enable-Explanations"
KSERVE = (
    'send Content-Type application/json with {"inputs": [{"name": …, "shape": …, "datatype": …,'
    ' "data": …}]}'
)
# what the SageMaker SDK's serializers send, which Triton reads as KServe's JSON
SERIALIZERS = {
    "application/x-npy": ("NumpySerializer", "JSONSerializer"),
    "text/csv": ("CSVSerializer", "JSONSerializer"),
    "application/x-npz": ("SparseMatrixSerializer", "JSONSerializer"),
    "application/jsonlines": ("JSONLinesSerializer", "JSONSerializer"),
}
OTHER_WAYS = {
    "async-invocations": (
        "asynchronous inference needs an AsyncInferenceConfig, and an endpoint with one takes no"
        " TargetModel: call InvokeEndpoint"
    ),
    "invocations-response-stream": (
        "Triton's SageMaker port answers as a whole and cannot stream: call InvokeEndpoint"
    ),
}


def check_parameters(
    endpoint: str, headers: Mapping[str, str], *, has_containers: bool = False
) -> None:
    """Refuse a variant, component, container, session or explanation that is not there.

    The containers of an endpoint that ``has_containers`` are looked up by itself.

    Raises:
        Failure: a ValidationError that names it.
    """
    variant = headers.get(VARIANT_HEADER, VARIANT)
    if variant != VARIANT:
        raise invalid(
            f"Variant {variant!r:.100} of endpoint {endpoint} not found: there is {VARIANT!r} only."
            " The variants of an alias are releases, named by TargetModel (slipway invoke)"
        )
    for header, (what, why) in ABSENT.items():
        if header in headers and not (has_containers and header == CONTAINER):
            raise invalid(
                f"{what.capitalize()} {headers[header]!r:.100} of endpoint {endpoint} not found:"
                f" {why}"
            )
    if EXPLANATIONS in headers:
        raise invalid(
            f"EnableExplanations: endpoint {endpoint} has no ExplainerConfig, which multi-model"
            " endpoints do not support"
        )


def refuse_other_way(endpoint: str, way: str) -> Failure:
    """Return the ValidationError for an asynchronous or a streaming invocation."""
    return invalid(f"endpoint {endpoint}: {OTHER_WAYS[way]}")


def explain(failure: Failure, content_type: str) -> Failure:
    """Return a model's error, with what to send instead if its content type is the reason."""
    kind = content_type.partition(";")[0].strip().lower()
    if failure.type != "ModelError" or kind not in SERIALIZERS:
        return failure
    sent, instead = SERIALIZERS[kind]
    advice = (
        f"{kind} (the SageMaker SDK's {sent}) is not what Triton reads: {KSERVE}; with the SDK:"
        f" {instead}()"
    )
    message = f"{failure.message} — {advice}"
    original = f"{failure.more.get('OriginalMessage', '')} — {advice}"
    more = {**failure.more, "OriginalMessage": original}
    return Failure(failure.status, failure.type, message, **more)
