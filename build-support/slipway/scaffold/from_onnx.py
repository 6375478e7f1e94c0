"""A model folder around an ONNX file: everything in it is derived from the graph."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.scaffold import batching, example, golden_case, render, steps, writing
from slipway.scaffold import graph as graphs
from slipway.scaffold.example import Example
from slipway.scaffold.graph import Graph
from slipway.scaffold.steps import Steps
from slipway.settings import Settings

KIND = "onnx"
DEFAULT_BATCH = 16
CASE = "cases/example"
REQUEST = "request"  # beside the tests, where an answer cannot be expected twice


@dataclass(frozen=True)
class Derived:
    """What the graph says, before anything is written."""

    graph: Graph
    steps: Steps
    example: Example | None

    @property
    def golden(self) -> bool:
        """Whether there is an answer to compare with."""
        return self.example is not None and self.example.repeats


def derive(file: Path, max_batch_size: int | None = None) -> Derived:
    """Everything that a model folder around ``file`` needs.

    ``max_batch_size`` is chosen by the graph if ``None``.

    Raises:
        SlipwayError: the graph cannot be served (``graph.read``), or takes no batches.
    """
    graph = graphs.read(file)
    if max_batch_size is None:
        max_batch_size = DEFAULT_BATCH if batching.batches(graph) else 0
    elif max_batch_size > 0 and not batching.batches(graph):
        raise SlipwayError(
            f"the graph takes no batches of {max_batch_size}: not every first dimension is free, or"
            " its rows touch each other",
            where=str(file),
            fix="--max-batch-size 0, or export it with a free first dimension everywhere",
        )
    found = example.find(graph, batch=1 if max_batch_size else None)
    ranks = {name: array.ndim for name, array in found.outputs.items()} if found else {}
    return Derived(graph, steps.plan(graph, max_batch_size, ranks), found)


def write(name: str, derived: Derived, settings: Settings, *, version: str = "0.1.0") -> Path:
    """Write ``models/<name>``.

    Raises:
        SlipwayError: as ``writing.write``; then nothing is left.
    """

    def fill(folder: Path) -> list[Path]:
        render.render(KIND, name, version, _values(derived), folder)
        if derived.example is not None:
            place = folder / "tests" / (CASE if derived.golden else REQUEST)
            inputs, outputs = _served(derived)
            golden_case.write(place, inputs, outputs if derived.golden else None)
        return [_copy(derived.graph, folder / f"{name}_inferencer" / "1" / "model.onnx")]

    return writing.write(name, KIND, version, settings, fill)


def _values(derived: Derived) -> dict[str, Any]:
    planned = derived.steps
    answer = _served(derived)[1] if derived.example is not None else {}
    return {
        "max_batch_size": planned.max_batch_size,
        "inputs": planned.inputs,
        "outputs": planned.outputs,
        "optional": derived.graph.optional,
        "example": derived.example is not None,
        "golden": derived.golden,
        "place": CASE if derived.golden else REQUEST,
        "answer": [(name, str(array.dtype), array.shape) for name, array in answer.items()],
    }


def _served(derived: Derived) -> tuple[dict[str, Any], dict[str, Any]]:
    """The example as clients send it, and what they get."""
    found, planned = derived.example, derived.steps
    assert found is not None
    batching = planned.max_batch_size > 0
    return (
        {t.public: t.served(found.inputs[t.name], batching) for t in planned.inputs},
        {t.public: t.served(found.outputs[t.name], batching) for t in planned.outputs},
    )


def _copy(graph: Graph, target: Path) -> Path:
    """Copy the weights to ``target``: a directory of that name where they are several files."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not graph.external:
        shutil.copyfile(graph.file, target)
        return target
    # Triton's ONNX backend takes such a directory (onnxruntime.cc, LoadModel), DVC tracks it whole
    files = {target.name: graph.file} | {name: graph.file.parent / name for name in graph.external}
    for name, source in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / name)
    return target
