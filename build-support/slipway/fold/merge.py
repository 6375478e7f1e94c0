"""Append a traced postprocessing to the graph before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.fold.builder import OPSET, PREFIX
from slipway.fold.standalone import value_info
from slipway.fold.trace import Traced
from slipway.triton.image.onnx_runtimes import RUNTIMES, runtime_of

RAW = "raw/"
ONNX = ("", "ai.onnx")
FIRST = next(runtime.release for runtime in RUNTIMES if runtime.opset >= OPSET)


@dataclass(frozen=True)
class Wiring:
    """How a postprocessing is joined to a graph.

    ``fed`` maps its inputs to outputs of the graph, ``new_inputs`` its other inputs to names of
    inputs that the graph gets. ``new_outputs`` maps its outputs to those of the graph, ``kept`` are
    outputs that the graph had and keeps. ``inputs`` and ``outputs`` are the tensors of its config.
    """

    fed: Mapping[str, str]
    new_inputs: Mapping[str, str]
    new_outputs: Mapping[str, str]
    kept: tuple[str, ...]
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    batches: bool


def merge(file: Path, traced: Traced, wiring: Wiring, releases: Sequence[str]) -> Any:
    """Return the graph in ``file`` with the postprocessing behind it.

    Raises:
        SlipwayError: the graph cannot be raised to an opset that compares strings, or a Triton
            release does not serve it.
    """
    import onnx
    from onnx import helper

    _refuse_releases(file, releases)
    model = _at_opset(_read(file), file)
    graph = model.graph
    taken = {*wiring.new_inputs.values(), *wiring.new_outputs.values()}
    _rename(graph, {name: RAW + name for name in taken & _values(graph) - {*wiring.kept}})
    names = {post: _raw(name, taken, wiring) for post, name in wiring.fed.items()}
    names |= wiring.new_inputs
    made = [onnx.NodeProto.FromString(node.SerializeToString()) for node in traced.builder.nodes]
    results = {value: name for name, value in traced.outputs.items() if name in wiring.new_outputs}
    needed = _needed(made, set(results))
    made = [node for node in made if needed & {*node.output}]
    for node in made:
        node.input[:] = [names.get(name, name) for name in node.input]
    graph.node.extend(made)
    used = {name for node in made for name in node.input}
    graph.initializer.extend(c for c in traced.builder.initialisers if c.name in used)
    for post, name in wiring.new_outputs.items():
        value = names.get(traced.outputs[post], traced.outputs[post])
        if value not in _values(graph):  # a table that is answered as it is
            graph.initializer.extend(c for c in traced.builder.initialisers if c.name == value)
        label = f"{PREFIX}{post}"
        graph.node.append(helper.make_node("Identity", [value], [name], name=label))
    batch = _batch(graph)
    for post, name in wiring.new_inputs.items():
        graph.input.append(value_info(wiring.inputs[post], name, wiring.batches, batch))
    kept = [output for output in graph.output if output.name in wiring.kept]
    del graph.output[:]
    graph.output.extend(kept)
    for post, name in wiring.new_outputs.items():
        graph.output.append(value_info(wiring.outputs[post], name, wiring.batches, batch))
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        raise SlipwayError(
            f"cannot be folded: the joined graph is not valid: {error}",
            where=str(file),
            fix=f"export the graph with opset {OPSET}, or leave the postprocessing as it is",
        ) from error
    return model


def _read(file: Path) -> Any:
    import onnx

    if file.is_dir():
        raise SlipwayError(
            "cannot be folded: the graph has its weights in other files",
            where=str(file),
            fix="leave the postprocessing as it is",
        )
    model = onnx.load(str(file), load_external_data=False)
    if any(tensor.data_location for tensor in model.graph.initializer):
        raise SlipwayError(
            "cannot be folded: the graph has its weights in other files",
            where=str(file),
            fix="leave the postprocessing as it is",
        )
    return model


def _at_opset(model: Any, file: Path) -> Any:
    """Return the model in an opset that compares strings; its operators stay what they are."""
    from onnx import version_converter

    opset = next(entry.version for entry in model.opset_import if entry.domain in ONNX)
    if opset >= OPSET:
        return model
    try:
        raised = version_converter.convert_version(model, OPSET)
    except Exception as error:  # it raises whatever its C++ does
        raise SlipwayError(
            f"cannot be folded: the graph is of opset {opset}, and cannot be raised to {OPSET}:"
            f" {' '.join(str(error).split())}",
            where=str(file),
            fix=f"export it with opset {OPSET}",
        ) from error
    raised.ir_version = max(model.ir_version, 9)
    raised.producer_name = model.producer_name
    return raised


def _refuse_releases(file: Path, releases: Sequence[str]) -> None:
    for release in releases:
        runtime = runtime_of(release)
        if runtime is not None and runtime.opset < OPSET:
            raise SlipwayError(
                f"cannot be folded: Triton {release} has ONNX Runtime {runtime.version}, which"
                f" takes opset {runtime.opset} at most, and strings are compared in {OPSET}",
                where=str(file),
                fix=f"serve it with Triton {FIRST} or later: [triton] release in slipway.toml",
            )


def _raw(name: str, taken: set[str], wiring: Wiring) -> str:
    return RAW + name if name in taken and name not in wiring.kept else name


def _needed(nodes: Sequence[Any], wanted: set[str]) -> set[str]:
    """Return the values that ``wanted`` ones are computed of, and these."""
    found = set(wanted)
    for node in reversed(nodes):
        if found & {*node.output}:
            found |= {*node.input}
    return found


def _values(graph: Any) -> set[str]:
    named = {tensor.name for tensor in (*graph.input, *graph.initializer)}
    return named | {name for node in graph.node for name in node.output}


def _batch(graph: Any) -> str:
    """Return what the graph calls its first dimension."""
    for tensor in graph.input:
        dims = tensor.type.tensor_type.shape.dim
        if dims and dims[0].dim_param:
            return str(dims[0].dim_param)
    return "batch"


def _rename(graph: Any, names: Mapping[str, str]) -> None:
    """Rename values of a graph, in the graphs of its conditions and loops as well."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    _rename(inner, names)
    for tensor in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        tensor.name = names.get(tensor.name, tensor.name)
