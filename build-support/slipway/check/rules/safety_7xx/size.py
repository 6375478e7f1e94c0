"""SW72x: size, load time, requests and shared memory against the limits of an endpoint."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.projection import Projection, project
from slipway.check.rule import rule
from slipway.triton.config import dtype_name

# seconds until an invocation is answered with ModelNotReadyException, and until a load is aborted
ANSWER, LOAD = 60, 360
BODY = 6_291_456  # bytes of a request
BYTES = {
    **dict.fromkeys(("BOOL", "UINT8", "INT8"), 1),
    **dict.fromkeys(("UINT16", "INT16", "FP16", "BF16"), 2),
    **dict.fromkeys(("UINT32", "INT32", "FP32"), 4),
    **dict.fromkeys(("UINT64", "INT64", "FP64"), 8),
}
# MiB of shared memory for each instance of a Python model, and in the endpoint's container
INSTANCE, SHARED = 16, 64


@rule(
    "SW721",
    "slow-load",
    severity="warning",
    reason="after 60 s the first invocations get ModelNotReadyException (429), after 360 s the load"
    " is aborted",
    source="AWS, multi-model endpoints: model loading; the rates are in check/projection.py",
)
def slow_load(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models whose load takes more than half of the time that an invocation waits."""
    projected = project(model)
    if ANSWER / 2 < projected.seconds <= LOAD:
        yield RuleHit(
            Location(_largest(projected, model)),
            f"{_summary(projected)}; an invocation waits {ANSWER} s, a load has {LOAD} s",
            f"{_reduction(projected)}, or let callers retry and keep the model loaded",
        )


@rule(
    "SW722",
    "too-slow-to-load",
    reason="the load is aborted after 360 s, so the model never answers",
    source="AWS, multi-model endpoints: model loading; the rates are in check/projection.py",
)
def too_slow_to_load(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models whose load takes longer than an endpoint allows."""
    projected = project(model)
    if projected.seconds > LOAD:
        yield RuleHit(
            Location(_largest(projected, model)),
            f"{_summary(projected)}, more than the {LOAD} s that an endpoint allows",
            f"{_reduction(projected)}, or give the model an endpoint of its own",
        )


@rule(
    "SW723",
    "input-larger-than-a-request",
    reason="every request is refused: its body is larger than 6,291,456 bytes",
    source="AWS, InvokeEndpoint: Body",
)
def input_larger_than_a_request(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs of the served model of which one row is larger than a request may be."""
    served = model.served
    for index, tensor in enumerate(served.message.input if served and served.message else ()):
        assert served is not None
        width = BYTES.get(dtype_name(tensor.data_type), 0)
        size = width * math.prod(max(1, dim) for dim in tensor.dims)
        if size > BODY:
            yield RuleHit(
                served.location("input", index, "dims"),
                f"one row of {tensor.name!r} has {size:,} bytes, and a request at most {BODY:,}",
                "accept it compressed, such as a JPEG in a TYPE_STRING tensor, or in smaller parts",
            )


@rule(
    "SW724",
    "shared-memory",
    severity="warning",
    reason="an instance without enough shared memory fails to start: 'No space left on device'",
    source="Triton's python_backend: shm-default-byte-size; an endpoint's /dev/shm has 64 MiB",
)
def shared_memory(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find Python models whose instances need more memory than an endpoint's container has."""
    counts = {
        name: sum(max(1, group.count) for group in message.instance_group) or 1
        for name, (config, message) in model.parsed.items()
        if config.backend == "python"
    }
    total = sum(counts.values()) * INSTANCE
    if total > SHARED:
        largest = max(counts, key=lambda name: counts[name])
        yield RuleHit(
            model.configs[largest].location("instance_group"),
            f"{sum(counts.values())} instances of Python models need {INSTANCE} MiB each,"
            f" in total {total} MiB of the {SHARED} MiB of /dev/shm",
            "use fewer instances, instance_group { count: 1 }, and dynamic_batching",
        )


def _largest(projected: Projection, model: ModelUnderCheck) -> Path:
    if _is_mostly_environment(projected):
        return model.lock
    return max(projected.weights, key=lambda path: (projected.weights[path], path))


def _reduction(projected: Projection) -> str:
    if _is_mostly_environment(projected):
        return (
            "leave packages out, or take their builds for the CPU (docs/environments.md): slipway"
            " lock lists the largest"
        )
    return "reduce the weights (half precision, quantisation)"


def _is_mostly_environment(projected: Projection) -> bool:
    environment = projected.environment.size if projected.environment else 0
    return environment > sum(projected.weights.values())


def _summary(projected: Projection) -> str:
    size, seconds = projected.size / 1e9, projected.seconds
    environment = projected.environment.size / 1e9 if projected.environment else 0
    part = f" ({environment:.1f} GB of it packages)" if _is_mostly_environment(projected) else ""
    return f"an artifact of about {size:.1f} GB{part} loads in about {seconds:.0f} s"
