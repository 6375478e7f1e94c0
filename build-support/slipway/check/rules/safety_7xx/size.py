"""SW72x: an artifact's size and load time, its requests and its shared memory, against the endpoint."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Found, Place
from slipway.check.projection import Projection, project
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.triton.config import dtype_name

# seconds: after these an invocation is answered with ModelNotReadyException, and a load given up
ANSWER, LOAD = 60, 360
BODY = 6_291_456  # bytes of a request
BYTES = {
    **dict.fromkeys(("BOOL", "UINT8", "INT8"), 1),
    **dict.fromkeys(("UINT16", "INT16", "FP16", "BF16"), 2),
    **dict.fromkeys(("UINT32", "INT32", "FP32"), 4),
    **dict.fromkeys(("UINT64", "INT64", "FP64"), 8),
}
# MiB of shared memory: of each instance of a Python model, and of the endpoint's container
INSTANCE, SHARED = 16, 64


@rule(
    "SW721",
    "slow-load",
    severity="warning",
    reason="after 60 s the first invocations get ModelNotReadyException (429), after 360 s the load"
    " is given up",
    source="AWS, multi-model endpoints: model loading; the rates stand in check/projection.py",
)
def slow_load(subject: Subject) -> Iterator[Found]:
    """Half of the time that an invocation waits for a load, or more, is used up."""
    projected = project(subject)
    if ANSWER / 2 < projected.seconds <= LOAD:
        yield Found(
            Place(_largest(projected)),
            f"{_said(projected)}; an invocation waits {ANSWER} s, a load has {LOAD} s",
            "make the weights smaller (half precision, quantisation), or let callers retry and keep"
            " the model loaded",
        )


@rule(
    "SW722",
    "too-slow-to-load",
    reason="the load is given up after 360 s: the model never answers",
    source="AWS, multi-model endpoints: model loading; the rates stand in check/projection.py",
)
def too_slow_to_load(subject: Subject) -> Iterator[Found]:
    """More than all of the time that an endpoint gives a load."""
    projected = project(subject)
    if projected.seconds > LOAD:
        yield Found(
            Place(_largest(projected)),
            f"{_said(projected)}, more than the {LOAD} s that an endpoint gives a load",
            "make the weights smaller (half precision, quantisation), or give the model an endpoint"
            " of its own",
        )


@rule(
    "SW723",
    "input-larger-than-a-request",
    reason="every request is refused: its body is larger than 6,291,456 bytes",
    source="AWS, InvokeEndpoint: Body",
)
def input_larger_than_a_request(subject: Subject) -> Iterator[Found]:
    """One row of an input of the served model that alone is larger than a request may be."""
    served = subject.served
    for index, tensor in enumerate(served.message.input if served and served.message else ()):
        assert served is not None
        width = BYTES.get(dtype_name(tensor.data_type), 0)
        size = width * math.prod(max(1, dim) for dim in tensor.dims)
        if size > BODY:
            yield Found(
                served.place("input", index, "dims"),
                f"one {tensor.name!r} is {size:,} bytes, and a request {BODY:,} at most",
                "take it compressed, such as a JPEG in a TYPE_STRING tensor, or in smaller parts",
            )


@rule(
    "SW724",
    "shared-memory",
    severity="warning",
    reason="an instance that finds no room fails to start: 'No space left on device'",
    source="Triton's python_backend: shm-default-byte-size; an endpoint's /dev/shm cannot be raised",
)
def shared_memory(subject: Subject) -> Iterator[Found]:
    """Instances of Python models that ask for more than an endpoint's container has."""
    counts = {
        name: sum(max(1, group.count) for group in message.instance_group) or 1
        for name, (read, message) in subject.parsed.items()
        if read.backend == "python"
    }
    total = sum(counts.values()) * INSTANCE
    if total > SHARED:
        most = max(counts, key=lambda name: counts[name])
        yield Found(
            subject.configs[most].place("instance_group"),
            f"{sum(counts.values())} instances of Python models take {INSTANCE} MiB each,"
            f" {total} MiB of the {SHARED} MiB of /dev/shm",
            "fewer instances: instance_group { count: 1 }, with requests joined by dynamic_batching",
        )


def _largest(projected: Projection) -> Path:
    return max(projected.weights, key=lambda path: (projected.weights[path], path))


def _said(projected: Projection) -> str:
    return f"an artifact of about {projected.size / 1e9:.1f} GB loads in about {projected.seconds:.0f} s"
