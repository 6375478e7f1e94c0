"""SW306–SW308, SW314: the names of a config's inputs and outputs against its ONNX graph."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from slipway.check import graphs
from slipway.check.finding import Found
from slipway.check.graphs import Declared, Graph
from slipway.check.rule import rule
from slipway.check.shapes import shown
from slipway.check.subject import Subject
from slipway.signature import Signature

NATIVE = "triton-inference-server/onnxruntime_backend, src/onnxruntime.cc"


@rule(
    "SW306",
    "unknown-graph-input",
    reason="the load fails: 'unexpected inference input', or 'configuration expects … inputs'",
    source=f"{NATIVE}: ValidateInputs; seen on Triton 24.10",
)
def unknown_graph_input(subject: Subject) -> Iterator[Found]:
    """An input of the config that the graph does not have."""
    for graph, signature in graphs.known(subject):
        names = _input_names(signature)
        for declared in [*graphs.tensors(graph, "input"), *graphs.fed(graph)]:
            if declared.name not in names:
                yield _unknown(graph, declared, "input", names)


@rule(
    "SW307",
    "graph-input-not-in-config",
    reason="the load fails: 'configuration expects … inputs, model provides …'",
    source=f"{NATIVE}: ValidateInputs; seen on Triton 24.10",
)
def graph_input_not_in_config(subject: Subject) -> Iterator[Found]:
    """An input that the graph needs and the config does not have."""
    for graph, signature in graphs.known(subject):
        if not graph.message.input:
            continue  # that none is explicit is another rule's
        declared = {each.name for each in [*graphs.tensors(graph, "input"), *graphs.fed(graph)]}
        missing = [tensor for tensor in signature.inputs if tensor.name not in declared]
        # a name misspelt in the config is one mistake, which is told there
        for name in sorted(declared - _input_names(signature)):
            nearest = _nearest(name, [tensor.name for tensor in missing])
            missing = [tensor for tensor in missing if tensor.name != nearest]
        for tensor in missing:
            yield Found(
                graph.config.place("input", 0),
                f"no input {tensor.name!r}, which {graph.name} needs:"
                f" {tensor.datatype} {shown(tensor.shape)}",
                f'add input {{ name: "{tensor.name}" … }}',
            )


@rule(
    "SW308",
    "unknown-graph-output",
    reason="the load fails: 'unexpected inference output'",
    source=f"{NATIVE}: ValidateOutputs; seen on Triton 24.10",
)
def unknown_graph_output(subject: Subject) -> Iterator[Found]:
    """An output of the config that the graph does not have; it need not name all."""
    for graph, signature in graphs.known(subject):
        names = {tensor.name for tensor in signature.outputs}
        for declared in [*graphs.tensors(graph, "output"), *graphs.states(graph)]:
            if declared.name not in names:
                yield _unknown(graph, declared, "output", names)


@rule(
    "SW314",
    "optional-input",
    reason="the load fails: 'configuration expects … inputs', or 'optional input … is not supported"
    " for models that support batching'",
    source=f"{NATIVE}: ValidateInputs",
)
def optional_input(subject: Subject) -> Iterator[Found]:
    """``optional`` where the graph needs the input, or missing where it has a value itself."""
    for graph, signature in graphs.known(subject):
        needed = {tensor.name for tensor in signature.inputs}
        overridable = {tensor.name for tensor in signature.optional_inputs}
        for declared in graphs.tensors(graph, "input"):
            place = graph.config.place(*declared.path, "optional")
            optional = declared.message.optional
            if optional and declared.name in needed:
                what = f"{declared.name!r} is optional here, and {graph.name} needs it"
                yield Found(place, what, "remove optional: true")
            elif declared.name in overridable and graph.message.max_batch_size > 0:
                what = f"{declared.name!r} is optional, which a model that batches cannot have"
                yield Found(place, what, "remove the input, or max_batch_size: 0")
            elif declared.name in overridable and not optional:
                what = f"{graph.name} has a value for {declared.name!r}, which is optional there"
                yield Found(place, what, "optional: true, or remove the input")


def _unknown(graph: Graph, declared: Declared, side: str, names: Iterable[str]) -> Found:
    place = graph.config.place(*declared.path, "name")
    nearest = _nearest(declared.name, names)
    return Found(
        place,
        f"{graph.name} has no {side} {declared.name!r}; it has {', '.join(sorted(names)) or 'none'}",
        f'name: "{nearest}"' if nearest else f"remove the {side}",
    )


def _nearest(name: str, names: Iterable[str]) -> str | None:
    found = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0)
    return found[0] if found else None


def _input_names(signature: Signature) -> set[str]:
    return {tensor.name for tensor in (*signature.inputs, *signature.optional_inputs)}
