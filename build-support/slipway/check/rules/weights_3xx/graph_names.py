"""SW306–SW308, SW314: the names of a config's inputs and outputs against its ONNX graph."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.shapes import format_shape
from slipway.check.tensors import graphs
from slipway.check.tensors.graphs import ConfiguredGraph, DeclaredTensor
from slipway.signature import Signature

NATIVE = "triton-inference-server/onnxruntime_backend, src/onnxruntime.cc"


@rule(
    "SW306",
    "unknown-graph-input",
    reason="the load fails: 'unexpected inference input', or 'configuration expects … inputs'",
    source=f"{NATIVE}: ValidateInputs; seen on Triton 24.10",
)
def unknown_graph_input(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs of the config that the graph does not have."""
    for graph, signature in graphs.graphs_with_signature(model):
        names = _input_names(signature)
        for declared in [*graphs.declared_tensors(graph, "input"), *graphs.server_inputs(graph)]:
            if declared.name not in names:
                yield _unknown_tensor(graph, declared, "input", names)


@rule(
    "SW307",
    "graph-input-not-in-config",
    reason="the load fails: 'configuration expects … inputs, model provides …'",
    source=f"{NATIVE}: ValidateInputs; seen on Triton 24.10",
)
def graph_input_not_in_config(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs that the graph needs and the config does not have."""
    for graph, signature in graphs.graphs_with_signature(model):
        if not graph.message.input:
            continue  # another rule reports a config without inputs
        declared = {
            tensor.name
            for tensor in [*graphs.declared_tensors(graph, "input"), *graphs.server_inputs(graph)]
        }
        missing = [tensor for tensor in signature.inputs if tensor.name not in declared]
        # a name that the config misspells is one mistake, which is reported there
        for name in sorted(declared - _input_names(signature)):
            nearest = _nearest(name, [tensor.name for tensor in missing])
            missing = [tensor for tensor in missing if tensor.name != nearest]
        for tensor in missing:
            yield RuleHit(
                graph.config.location("input", 0),
                f"no input {tensor.name!r}, which {graph.name} needs:"
                f" {tensor.datatype} {format_shape(tensor.shape)}",
                f'add input {{ name: "{tensor.name}" … }}',
            )


@rule(
    "SW308",
    "unknown-graph-output",
    reason="the load fails: 'unexpected inference output'",
    source=f"{NATIVE}: ValidateOutputs; seen on Triton 24.10",
)
def unknown_graph_output(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find outputs of the config that the graph does not have; a config need not list all."""
    for graph, signature in graphs.graphs_with_signature(model):
        names = {tensor.name for tensor in signature.outputs}
        for declared in [*graphs.declared_tensors(graph, "output"), *graphs.state_outputs(graph)]:
            if declared.name not in names:
                yield _unknown_tensor(graph, declared, "output", names)


@rule(
    "SW314",
    "optional-input",
    reason="the load fails: 'configuration expects … inputs', or 'optional input … is not supported"
    " for models that support batching'",
    source=f"{NATIVE}: ValidateInputs",
)
def optional_input(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ``optional`` inputs that the graph needs, and required ones for which it has a value."""
    for graph, signature in graphs.graphs_with_signature(model):
        required = {tensor.name for tensor in signature.inputs}
        overridable = {tensor.name for tensor in signature.optional_inputs}
        for declared in graphs.declared_tensors(graph, "input"):
            location = graph.config.location(*declared.path, "optional")
            optional = declared.message.optional
            if optional and declared.name in required:
                what = f"{declared.name!r} is optional here, and {graph.name} needs it"
                yield RuleHit(location, what, "remove optional: true")
            elif declared.name in overridable and graph.message.max_batch_size > 0:
                what = f"{declared.name!r} is optional, which a model with batches cannot have"
                yield RuleHit(location, what, "remove the input, or max_batch_size: 0")
            elif declared.name in overridable and not optional:
                what = f"{declared.name!r} is optional in {graph.name}, which has a value for it"
                yield RuleHit(location, what, "optional: true, or remove the input")
            elif optional and declared.message.allow_ragged_batch:
                what = f"{declared.name!r} is optional, which a ragged input cannot be"
                yield RuleHit(location, what, "remove optional: true, or allow_ragged_batch")


def _unknown_tensor(
    graph: ConfiguredGraph, declared: DeclaredTensor, side: str, names: Iterable[str]
) -> RuleHit:
    location = graph.config.location(*declared.path, "name")
    nearest = _nearest(declared.name, names)
    available = ", ".join(sorted(names)) or "none"
    return RuleHit(
        location,
        f"{graph.name} has no {side} {declared.name!r}; its {side}s are: {available}",
        f'name: "{nearest}"' if nearest else f"remove the {side}",
    )


def _nearest(name: str, names: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0)
    return close[0] if close else None


def _input_names(signature: Signature) -> set[str]:
    return {tensor.name for tensor in (*signature.inputs, *signature.optional_inputs)}
