"""SW430: an ensemble's own tensor that is reshaped to a scalar."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.ensemble_4xx.crossed import full_dims
from slipway.check.tensors.flow import TensorUse, flows


@rule(
    "SW430",
    "ensemble-scalar",
    reason="the load fails: “inconsistent shape”; only a step's model may have an empty reshape",
    source="Triton core, ensemble_utils.cc (ValidateTensorConsistency), and seen on 24.10",
)
def ensemble_scalar(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an empty ``reshape`` of an ensemble's input or output that no step agrees with.

    A step's dims are compared, which are never empty: only those of a model without batches, of
    one dimension, are like the batch alone.
    """
    for flow in flows(model):
        for kind, uses in (("input", flow.inputs), ("output", flow.outputs)):
            for number, tensor in enumerate(getattr(flow.message, kind)):
                own = uses[tensor.name]
                if not own.tensor.HasField("reshape") or own.dims or not own.batching:
                    continue
                others = [use for use in flow.uses(tensor.name) if use.step and use.tensor]
                other = next((use for use in others if len(full_dims(use)) != 1), None)
                if other is not None:
                    path = (kind, number, "reshape")
                    fits = _fits_without(own, others)
                    yield RuleHit(
                        flow.config.location(*path),
                        f"{tensor.name!r} is a scalar here, and {other.dims} as {other}",
                        "remove the reshape; the model of the step may have it",
                        (flow.config.replace_field(path, ""),) if fits else (),
                    )


def _fits_without(own: TensorUse, others: list[TensorUse]) -> bool:
    dims = list(own.tensor.dims)
    return all(dims == use.dims and own.batching == use.batching for use in others)
