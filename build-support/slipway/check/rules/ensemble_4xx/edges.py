"""SW42x: type, shape and batch at both ends of an edge of an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from slipway.check.finding import Found
from slipway.check.flow import End, flows
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.triton import config

UTILS = "Triton core, ensemble_utils.cc, and seen on 24.10"


@rule(
    "SW421",
    "edge-type",
    reason="the load fails: “inconsistent data type”",
    source=UTILS + " (ValidateTensorConsistency)",
)
def edge_type(subject: Subject) -> Iterator[Found]:
    """A tensor with one data type here and another one there."""
    for end, other, name in _conflicts(subject, _types_differ):
        yield Found(
            end.place,
            f"{name!r} is {_type(end)} as {end}, and {_type(other)} as {other}",
            "give both ends one data_type, or cast between them",
        )


@rule(
    "SW422",
    "edge-shape",
    reason="the load fails: “inconsistent shape”; or each request does: “unexpected shape for input”",
    source=UTILS + " (ValidateTensorConsistency); dims are compared, then dims with the batch",
)
def edge_shape(subject: Subject) -> Iterator[Found]:
    """A tensor whose shapes at two ends exclude each other."""
    for end, other, name in _conflicts(subject, _shapes_differ):
        yield Found(
            end.place,
            f"{name!r} is {_shape(end)} as {end}, and {_shape(other)} as {other}",
            "give both ends the same dims; -1 stands for any size, a batching model adds its own -1",
        )


@rule(
    "SW423",
    "step-batch-size",
    reason="the load fails: “allows maximum batch size …, but it contains model …”",
    source=UTILS + " (ValidateEnsembleConfig)",
)
def step_batch_size(subject: Subject) -> Iterator[Found]:
    """A composing model that takes smaller batches than the ensemble."""
    for flow in flows(subject):
        whole = flow.message.max_batch_size
        for step in flow.steps:
            limit = step.message.max_batch_size if step.message is not None else 0
            if 0 < limit < whole:
                yield Found(
                    flow.config.value_place(*step.path, "model_name"),
                    f"{step} takes batches up to {limit}, the ensemble up to {whole}",
                    f"max_batch_size: {limit} in the ensemble, or {whole} in the model",
                )


@rule(
    "SW424",
    "batch-lost",
    reason="requests with a batch of more than one fail: “unexpected shape for input”",
    source="Triton core, ensemble_scheduler.cc (ReshapeTensorDims), and seen on 24.10",
    severity="warning",
)
def batch_lost(subject: Subject) -> Iterator[Found]:
    """A batch that comes to a model without batches, one element of which is what it takes."""
    for flow in flows(subject):
        told: set[int] = set()
        for name, readers in flow.readers.items() if flow.message.max_batch_size > 1 else ():
            for reader in readers:
                lost = [end for end in flow.sources(name) if _loses_batch(end, reader)]
                if not lost or reader.step is None or reader.step.number in told:
                    continue
                told.add(reader.step.number)
                yield Found(
                    reader.place,
                    f"{lost[0]} is a batch of {reader.dims}, and {reader} takes one",
                    f"max_batch_size in {reader.step.said.model_name},"
                    f" or dims: {[-1, *reader.dims]} there, or max_batch_size: 1 here",
                )


@rule(
    "SW425",
    "decoupled-step",
    reason="each request is answered with an error: \"HTTP end point doesn't support models with"
    ' decoupled transaction policy"',
    source="Triton server, sagemaker_server.cc and http_server.cc, and seen on 24.10",
)
def decoupled_step(subject: Subject) -> Iterator[Found]:
    """A composing model that answers once, twice or never: it makes the ensemble decoupled."""
    for flow in flows(subject):
        for step in flow.steps:
            policy = step.message.model_transaction_policy if step.message is not None else None
            if policy is not None and policy.decoupled:
                yield Found(
                    flow.config.value_place(*step.path, "model_name"),
                    f"{step} is decoupled, and so is the ensemble",
                    f"model_transaction_policy {{ decoupled: false }} in {step.said.model_name}",
                )


@rule(
    "SW426",
    "optional-input-required",
    reason="a request without it fails: “missing required input”",
    source="Triton core, ensemble_scheduler.cc (InitStep), and seen on 24.10",
    severity="warning",
)
def optional_input_required(subject: Subject) -> Iterator[Found]:
    """An input that the ensemble may be called without, and a step may not."""
    for flow in flows(subject):
        for name, own in flow.inputs.items():
            for reader in flow.readers.get(name, ()) if own.tensor.optional else ():
                if reader.tensor is not None and not reader.tensor.optional:
                    yield Found(
                        reader.place,
                        f"{name!r} is optional for the ensemble, and required by {reader}",
                        "optional: true at both ends, or at neither",
                    )


def _conflicts(
    subject: Subject, differ: Callable[[End, End], bool]
) -> Iterator[tuple[End, End, str]]:
    """For each tensor the first end that contradicts another one, those that write it first."""
    for flow in flows(subject):
        for name in flow.names:
            if len(flow.sources(name)) > 1:
                continue  # which is SW411's
            known = [end for end in flow.ends(name) if end.tensor is not None]
            pairs = ((end, one) for at, end in enumerate(known) for one in known[:at])
            found = next(((end, one) for end, one in pairs if differ(end, one)), None)
            if found is not None:
                end, other = found
                # the maps are where an edge is drawn: the ensemble's own end is named second
                yield (other, end, name) if end.step is None else (end, other, name)


def _types_differ(one: End, other: End) -> bool:
    types = (one.tensor.data_type, other.tensor.data_type)
    return all(types) and types[0] != types[1]


def _shapes_differ(one: End, other: End) -> bool:
    if not one.dims or not other.dims:
        return False
    return not _agree(one.dims, other.dims) and not _agree(_full(one), _full(other))


def _agree(one: Sequence[int], other: Sequence[int]) -> bool:
    """Equal, where -1 is equal to anything."""
    pairs = list(zip(one, other, strict=False))
    return len(one) == len(other) and all(a == b or -1 in (a, b) for a, b in pairs)


def _full(end: End) -> list[int]:
    return [-1, *end.dims] if end.batching else end.dims


def _loses_batch(source: End, reader: End) -> bool:
    return (
        source.batching
        and not reader.batching
        and None not in (source.tensor, reader.tensor)
        and bool(source.dims and reader.dims)
        and _agree(source.dims, reader.dims)
        and not _agree(_full(source), reader.dims)
    )


def _type(end: End) -> str:
    return str(config.schema().DataType.Name(end.tensor.data_type))


def _shape(end: End) -> str:
    return str(_full(end))
