"""Give a graph one row, and the same row twice: what it declares must hold for both."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np

from slipway.signature.trial.example import accepts, find_example
from slipway.signature.trial.graph import Graph, OnnxTensor
from slipway.signature.trial.outcome import TwoRows, WrongOutput


def takes_rows(graph: Graph) -> bool:
    """Return whether the graph declares a free first dimension for each of its inputs."""
    return all(t.shape and not isinstance(t.shape[0], int) for t in graph.inputs)


def try_two_rows(graph: Graph) -> TwoRows | None:
    """Return what the graph does with two equal rows.

    None if it does not take several rows, or if no single row was found that it answers.
    """
    if not takes_rows(graph):
        return None
    single = find_example(graph, batch=1)
    if single is None:
        return None
    inputs = {name: np.concatenate([array, array]) for name, array in single.inputs.items()}
    if not accepts(graph, inputs):
        return TwoRows(error=_error(graph, inputs))
    outputs = graph.run(inputs)
    declared = [
        (tensor, WrongOutput(tensor.name, position, tensor.shape, np.shape(outputs[tensor.name])))
        for position, tensor in enumerate(graph.outputs)
        if tensor.shape is not None
    ]
    return TwoRows(
        wrong=tuple(output for tensor, output in declared if _differs(tensor, output.actual)),
        uneven=tuple(output for _, output in declared if _is_uneven(output)),
    )


def declaration_fix(file: Path, wrong: WrongOutput) -> str:
    """Return the command that frees the declared sizes of an output that are wrong."""
    if len(wrong.declared) != len(wrong.actual):
        return f"export the graph with {len(wrong.actual)} dimensions for output {wrong.name!r}"
    path = json.dumps(str(file))
    free = "".join(
        f" m.graph.output[{wrong.position}].type.tensor_type.shape.dim[{index}].dim_param ="
        f" {json.dumps('N' if index == 0 else f'D{index}')};"
        for index, (declared, actual) in enumerate(zip(wrong.declared, wrong.actual, strict=True))
        if declared != actual and isinstance(declared, int)
    )
    program = (
        f"import onnx; m = onnx.load({path}, load_external_data=False);{free} onnx.save(m, {path})"
    )
    return f"declare it as it is: python -c {shlex.quote(program)}"


def _differs(tensor: OnnxTensor, actual: tuple[int, ...]) -> bool:
    declared = tensor.shape or ()
    return len(declared) != len(actual) or any(
        isinstance(dim, int) and dim != size for dim, size in zip(declared, actual, strict=True)
    )


def _is_uneven(output: WrongOutput) -> bool:
    free = bool(output.declared) and not isinstance(output.declared[0], int)
    return free and output.actual[:1] != (2,)


def _error(graph: Graph, inputs: dict[str, np.ndarray]) -> str:  # type: ignore[type-arg]
    """Return why the graph fails, which it did in another process."""
    try:
        graph.run(inputs)
    except Exception as error:  # ONNX Runtime's exceptions have no common public root
        return " ".join(str(error).split())
    return "it does so in some runs only"
