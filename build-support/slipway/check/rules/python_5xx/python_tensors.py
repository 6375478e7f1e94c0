"""SW511 to SW515, SW518: the tensors that Python models read and return by name."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.inference.behaviour import behaviours, located
from slipway.check.inference.objects import Missing, Tensor
from slipway.check.inference.tensor_use import has_plain_responses, output_mismatch
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.model import auto_completed
from slipway.check.rule import rule
from slipway.check.tensors.flow import did_you_mean, listed

SEEN = "Triton's Python backend (triton_python_backend_utils.py), and seen on 24.10"
PRUNING = "Triton's Python backend, infer_response.cc (PruneOutputTensors), and seen on 24.10"


@rule(
    "SW511",
    "reads-unknown-tensor",
    reason="get_input_tensor_by_name returns None: each request fails on its first use",
    source=SEEN,
)
def reads_unknown_tensor(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that are read and are not among the config's inputs."""
    return _missing(model, config=False)


@rule(
    "SW512",
    "returns-unknown-tensor",
    reason="the tensor is dropped, and the intended one is missing from the response",
    source=PRUNING,
)
def returns_unknown_tensor(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that are not outputs, while an output is never created."""
    for python_model, behaviour in behaviours(model):
        unknown, missing = output_mismatch(model, python_model, behaviour)
        for tensor in unknown if missing else ():
            otherwise = f"missing are: {listed(sorted(missing))}"
            yield RuleHit(
                tensor.code.location(tensor.node),
                f"{python_model.config.name} has no output {tensor.name!r}",
                did_you_mean(tensor.name, missing, otherwise),
            )


@rule(
    "SW513",
    "drops-tensor",
    reason="the tensor is silently dropped from the response",
    source=PRUNING,
    severity="warning",
)
def drops_tensor(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that are returned in addition to all outputs."""
    for python_model, behaviour in behaviours(model):
        unknown, missing = output_mismatch(model, python_model, behaviour)
        returned = {name for response in behaviour.responses for name in response.names or ()}
        for tensor in unknown if not missing else ():
            if tensor.name in returned:
                yield RuleHit(
                    tensor.code.location(tensor.node),
                    f"{python_model.config.name} has no output {tensor.name!r}",
                    "add it to the config's outputs, or do not create it",
                )


@rule(
    "SW514",
    "never-returned",
    reason="the answer lacks the output; in an ensemble the next step fails:"
    " “missing required input”",
    source="seen on 24.10",
)
def never_returned(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find requested outputs that no response holds."""
    for python_model, behaviour in behaviours(model):
        unknown, missing = output_mismatch(model, python_model, behaviour)
        if unknown or not missing or not has_plain_responses(behaviour):
            continue
        if python_model.calls_models:
            continue  # another model's response may be passed on
        for number, output in enumerate(python_model.message.output):
            if output.name in missing:
                yield RuleHit(
                    python_model.config.value_location("output", number, "name"),
                    f"{python_model.config.name} never creates its output {output.name!r}",
                    f'add pb_utils.Tensor("{output.name}", …) to the response,'
                    " or remove the output",
                )


@rule(
    "SW515",
    "config-of-unknown-tensor",
    reason="the function returns None: the load fails on its first use",
    source=SEEN,
)
def config_of_unknown_tensor(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors whose config is read and that the config does not have."""
    return _missing(model, config=True)


@rule(
    "SW518",
    "type-unknown-to-numpy",
    reason="each request fails: “Tensor dtype is BF16 and cannot be converted to NumPy”",
    source="Triton's Python backend, pb_tensor.cc, and seen on 24.10",
)
def type_unknown_to_numpy(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs of a type that numpy lacks, and that are read as numpy arrays."""
    for python_model, behaviour in behaviours(model):
        for problem in behaviour.problems:
            tensor = problem.value
            if problem.kind == "no-numpy" and isinstance(tensor, Tensor):
                code, node = located(python_model, tensor.node or problem.node)
                yield RuleHit(
                    code.location(node),
                    f"{tensor.name!r} is TYPE_BF16, which numpy does not have",
                    "read it with to_dlpack(), or declare it TYPE_FP32 in the config",
                )


def _missing(model: ModelUnderCheck, *, config: bool) -> Iterator[RuleHit]:
    """Yield the uses of tensors that neither a request nor the config has."""
    for python_model, behaviour in behaviours(model):
        for problem in behaviour.problems:
            value = problem.value
            if problem.kind != "missing" or not isinstance(value, Missing) or value.optional:
                continue
            if value.config is not config:
                continue
            known = python_model.inputs if value.kind == "input" else python_model.outputs
            known = known | auto_completed(python_model)
            code, node = located(python_model, value.node)
            yield RuleHit(
                code.location(node),
                f"{python_model.config.name} has no {value.kind} {value.name!r}",
                did_you_mean(value.name, known, f"its {value.kind}s are: {listed(sorted(known))}"),
            )
