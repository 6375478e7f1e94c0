"""SW42x: type, shape and batch at both ends of an ensemble's edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.ensemble_4xx.crossed import (
    TensorKey,
    agree,
    crossing,
    full_dims,
    shapes_differ,
    types_differ,
)
from slipway.check.tensors.flow import Flow, TensorUse, flows
from slipway.triton.config import schema

UTILS = "Triton core, ensemble_utils.cc, and seen on 24.10"


@rule(
    "SW421",
    "edge-type",
    reason="the load fails: “inconsistent data type”",
    source=UTILS + " (ValidateTensorConsistency)",
)
def edge_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors whose data type differs between two uses."""
    reported: set[frozenset[TensorKey]] = set()
    for flow, use, other, name in _conflicts(model, types_differ):
        crossed = crossing(flow, (use, other), name)
        if crossed is not None and crossed.entries in reported:
            continue
        if crossed is not None:
            reported.add(crossed.entries)
        yield RuleHit(
            use.location,
            f"{name!r} is {_type(use)} as {use}, and {_type(other)} as {other}",
            crossed.fix if crossed else "give both ends one data_type, or cast between them",
        )


@rule(
    "SW422",
    "edge-shape",
    reason="the load fails: “inconsistent shape”; or each request fails: “unexpected shape for"
    " input”",
    source=UTILS + " (ValidateTensorConsistency); dims are compared, then dims with the batch",
)
def edge_shape(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors whose shapes at two uses exclude each other."""
    reported: set[frozenset[TensorKey]] = set()
    for flow, use, other, name in _conflicts(model, shapes_differ):
        crossed = crossing(flow, (use, other), name)
        if crossed is not None and (crossed.types_differ or crossed.entries in reported):
            continue  # SW421 reports the first
        if crossed is not None:
            reported.add(crossed.entries)
        yield RuleHit(
            use.location,
            f"{name!r} is {_shape(use)} as {use}, and {_shape(other)} as {other}",
            (
                crossed.fix
                if crossed
                else "give both ends the same dims; -1 means any size, and a batching model adds"
                " its own -1"
            ),
        )


@rule(
    "SW423",
    "step-batch-size",
    reason="the load fails: “allows maximum batch size …, but it contains model …”",
    source=UTILS + " (ValidateEnsembleConfig)",
)
def step_batch_size(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find composing models with smaller batches than the ensemble."""
    for flow in flows(model):
        ensemble_limit = flow.message.max_batch_size
        for step in flow.steps:
            limit = step.message.max_batch_size if step.message is not None else 0
            if 0 < limit < ensemble_limit:
                yield RuleHit(
                    flow.config.value_location(*step.path, "model_name"),
                    f"{step} accepts batches up to {limit}, the ensemble up to {ensemble_limit}",
                    f"max_batch_size: {limit} in the ensemble, or {ensemble_limit} in the model",
                )


@rule(
    "SW424",
    "batch-lost",
    reason="requests with a batch of more than one fail: “unexpected shape for input”",
    source="Triton core, ensemble_scheduler.cc (ReshapeTensorDims), and seen on 24.10",
    severity="warning",
)
def batch_lost(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models without batches that get a batch, of which they accept one element."""
    for flow in flows(model):
        reported_steps: set[int] = set()
        for name, readers in flow.readers.items() if flow.message.max_batch_size > 1 else ():
            for reader in readers:
                lost = [use for use in flow.sources(name) if _loses_batch(use, reader)]
                if not lost or reader.step is None or reader.step.number in reported_steps:
                    continue
                reported_steps.add(reader.step.number)
                yield RuleHit(
                    reader.location,
                    f"{lost[0]} is a batch of {reader.dims}, and {reader} accepts one element",
                    f"max_batch_size in {reader.step.definition.model_name},"
                    f" or dims: {[-1, *reader.dims]} there, or max_batch_size: 1 here",
                )


@rule(
    "SW425",
    "decoupled-step",
    reason="each request is answered with an error: \"HTTP end point doesn't support models with"
    ' decoupled transaction policy"',
    source="Triton server, sagemaker_server.cc and http_server.cc, and seen on 24.10",
)
def decoupled_step(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find composing models that are decoupled, which makes the ensemble decoupled as well."""
    for flow in flows(model):
        for step in flow.steps:
            policy = step.message.model_transaction_policy if step.message is not None else None
            if policy is not None and policy.decoupled:
                yield RuleHit(
                    flow.config.value_location(*step.path, "model_name"),
                    f"{step} is decoupled, and so is the ensemble",
                    "model_transaction_policy { decoupled: false } in"
                    f" {step.definition.model_name}",
                )


@rule(
    "SW426",
    "optional-input-required",
    reason="a request without it fails: “missing required input”",
    source="Triton core, ensemble_scheduler.cc (InitStep), and seen on 24.10",
    severity="warning",
)
def optional_input_required(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs that are optional for the ensemble, and required by a step."""
    for flow in flows(model):
        for name, ensemble_input in flow.inputs.items():
            for reader in flow.readers.get(name, ()) if ensemble_input.tensor.optional else ():
                if reader.tensor is not None and not reader.tensor.optional:
                    yield RuleHit(
                        reader.location,
                        f"{name!r} is optional for the ensemble, and required by {reader}",
                        "optional: true at both ends, or at neither",
                    )


def _conflicts(
    model: ModelUnderCheck, differ: Callable[[TensorUse, TensorUse], bool]
) -> Iterator[tuple[Flow, TensorUse, TensorUse, str]]:
    """Yield for each tensor the first use that contradicts another one, writers first."""
    for flow in flows(model):
        for name in flow.names:
            if len(flow.sources(name)) > 1:
                continue  # SW411 reports it
            known = [use for use in flow.uses(name) if use.tensor is not None]
            pairs = ((use, other) for at, use in enumerate(known) for other in known[:at])
            conflict = next(((use, other) for use, other in pairs if differ(use, other)), None)
            if conflict is not None:
                use, other = conflict
                # maps define the edges, so the ensemble's own use is named second
                first, second = (other, use) if use.step is None else (use, other)
                yield flow, first, second, name


def _loses_batch(source: TensorUse, reader: TensorUse) -> bool:
    return (
        source.batching
        and not reader.batching
        and None not in (source.tensor, reader.tensor)
        and bool(source.dims and reader.dims)
        and agree(source.dims, reader.dims)
        and not agree(full_dims(source), reader.dims)
    )


def _type(use: TensorUse) -> str:
    return str(schema().DataType.Name(use.tensor.data_type))


def _shape(use: TensorUse) -> str:
    return str(full_dims(use))
