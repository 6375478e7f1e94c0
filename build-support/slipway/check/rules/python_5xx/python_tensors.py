"""SW51x: the tensors that Python models read and return by name."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.flow import did_you_mean, listed
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python_code import argument
from slipway.check.python_model import models_with_requests
from slipway.check.python_names import texts
from slipway.check.python_tensor_use import (
    auto_completed,
    handles_none,
    has_plain_responses,
    output_mismatch,
)
from slipway.check.rule import rule

SEEN = "Triton's Python backend (triton_python_backend_utils.py), and seen on 24.10"
PRUNING = "Triton's Python backend, infer_response.cc (PruneOutputTensors), and seen on 24.10"
# the utility function → the kind of tensor whose config it returns
CONFIG_FUNCTIONS = {"get_input_config_by_name": "input", "get_output_config_by_name": "output"}


@rule(
    "SW511",
    "reads-unknown-tensor",
    reason="get_input_tensor_by_name returns None: each request fails on its first use",
    source=SEEN,
)
def reads_unknown_tensor(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that are read and are not among the config's inputs."""
    for python_model in models_with_requests(model):
        known = python_model.inputs | auto_completed(python_model)
        for code in python_model.sources if python_model.message.input else ():
            for _, call in code.calls("get_input_tensor_by_name"):
                for name in texts(
                    code, argument(call, 1, "name"), python_model.sources, all_known=False
                ):
                    if name.text in known or handles_none(code, call, name):
                        continue
                    yield RuleHit(
                        name.code.location(name.node),
                        f"{python_model.config.name} has no input {name.text!r}",
                        did_you_mean(name.text, known, f"its inputs are: {listed(sorted(known))}"),
                    )


@rule(
    "SW512",
    "returns-unknown-tensor",
    reason="the tensor is dropped, and the intended one is missing from the response",
    source=PRUNING,
)
def returns_unknown_tensor(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that are not outputs, while an output is never created."""
    for python_model in models_with_requests(model):
        unknown, missing = output_mismatch(model, python_model)
        for tensor in unknown if missing else ():
            otherwise = f"missing are: {listed(sorted(missing))}"
            yield RuleHit(
                tensor.name.code.location(tensor.name.node),
                f"{python_model.config.name} has no output {tensor.name.text!r}",
                did_you_mean(tensor.name.text, missing, otherwise),
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
    for python_model in models_with_requests(model):
        unknown, missing = output_mismatch(model, python_model)
        for tensor in unknown if not missing else ():
            if tensor.is_in_response:
                yield RuleHit(
                    tensor.name.code.location(tensor.name.node),
                    f"{python_model.config.name} has no output {tensor.name.text!r}",
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
    for python_model in models_with_requests(model):
        unknown, missing = output_mismatch(model, python_model)
        if unknown or not missing or not all(map(has_plain_responses, python_model.sources)):
            continue
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
    for python_model in models_with_requests(model):
        for code in python_model.sources:
            for function, call in code.calls(*CONFIG_FUNCTIONS):
                kind = CONFIG_FUNCTIONS[function]
                tensors = python_model.inputs if kind == "input" else python_model.outputs
                known = tensors | auto_completed(python_model)
                for name in texts(
                    code, argument(call, 1, "name"), python_model.sources, all_known=False
                ):
                    if name.text in known or handles_none(code, call, name):
                        continue
                    yield RuleHit(
                        name.code.location(name.node),
                        f"{python_model.config.name} has no {kind} {name.text!r}",
                        did_you_mean(name.text, known, f"its {kind}s are: {listed(sorted(known))}"),
                    )
