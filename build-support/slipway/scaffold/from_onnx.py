"""Create a model folder from an ONNX file; everything in it is derived from the graph."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.scaffold import golden_case, render, writing
from slipway.scaffold.steps import Steps, plan_steps
from slipway.settings import Settings
from slipway.signature.trial.batching import why_no_batches
from slipway.signature.trial.example import Example, find_example
from slipway.signature.trial.graph import Graph, read_graph
from slipway.signature.trial.two_rows import declaration_fix, try_two_rows

KIND = "weights"
DEFAULT_BATCH = 16
CASE = "cases/example"
REQUEST = "request"  # in tests/, for a graph whose outputs differ from run to run


@dataclass(frozen=True)
class Derived:
    """What is known of the graph before any file is written.

    ``no_batches`` says why the graph allows none.
    """

    graph: Graph
    steps: Steps
    example: Example | None
    no_batches: str | None = None

    @property
    def golden(self) -> bool:
        """Return whether the example's outputs can be compared with later ones."""
        return self.example is not None and self.example.repeats


def derive(file: Path, max_batch_size: int | None = None) -> Derived:
    """Return everything that a model folder for the graph in ``file`` needs.

    Without ``max_batch_size`` it is derived from the graph.

    Raises:
        SlipwayError: the graph cannot be served (``read_graph``), declares an output wrongly, or
            does not support batches.
    """
    graph = read_graph(file)
    _refuse_wrong_declaration(graph)
    reason = None if max_batch_size == 0 else why_no_batches(graph)
    if max_batch_size is None:
        max_batch_size = 0 if reason else DEFAULT_BATCH
    elif max_batch_size > 0 and reason:
        raise SlipwayError(
            f"the graph does not support batches of {max_batch_size}: {reason}",
            where=str(file),
            fix="use --max-batch-size 0, or export it with a free first dimension in every tensor",
        )
    example = find_example(graph, batch=1 if max_batch_size else None)
    ranks = {name: array.ndim for name, array in example.outputs.items()} if example else {}
    return Derived(graph, plan_steps(graph, max_batch_size, ranks), example, reason)


def _refuse_wrong_declaration(graph: Graph) -> None:
    trial = try_two_rows(graph)
    if trial is not None and trial.wrong:
        raise SlipwayError(
            f"{trial}: it would be served with one row, and every request with more would fail",
            where=str(graph.file),
            fix=declaration_fix(graph.file, trial.wrong[0]),
        )


def write(name: str, derived: Derived, settings: Settings, *, version: str = "0.1.0") -> Path:
    """Write ``models/<name>`` and return its path.

    Raises:
        SlipwayError: as ``write_folder``; no files are left behind.
    """

    def fill(folder: Path) -> list[Path]:
        render.render(KIND, name, version, _values(derived), folder)
        if derived.example is not None:
            case = folder / "tests" / (CASE if derived.golden else REQUEST)
            inputs, outputs = _client_example(derived)
            golden_case.write_case(case, inputs, outputs if derived.golden else None)
        return [_copy(derived.graph, folder / f"{name}_inferencer" / "1" / "model.onnx")]

    return writing.write_folder(name, KIND, version, settings, fill)


def _values(derived: Derived) -> dict[str, Any]:
    steps = derived.steps
    outputs = _client_example(derived)[1] if derived.example is not None else {}
    return {
        "backend": "onnxruntime",
        "parameters": {},
        "kind": "",
        "packages": (),
        "max_batch_size": steps.max_batch_size,
        "inputs": steps.inputs,
        "outputs": steps.outputs,
        "clients": steps.clients,
        "columns": False,
        "joined": False,
        "conversion": None,
        "optional": derived.graph.optional,
        "example": derived.example is not None,
        "golden": derived.golden,
        "place": CASE if derived.golden else REQUEST,
        "answer": [(name, str(array.dtype), array.shape) for name, array in outputs.items()],
    }


def _client_example(derived: Derived) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the example's inputs as clients send them, and the outputs as they receive them."""
    example, steps = derived.example, derived.steps
    assert example is not None
    batched = steps.max_batch_size > 0
    return (
        {t.public: t.client_array(example.inputs[t.name], batched) for t in steps.inputs},
        {t.public: t.client_array(example.outputs[t.name], batched) for t in steps.outputs},
    )


def _copy(graph: Graph, target: Path) -> Path:
    """Copy the weights to ``target``, a directory if they consist of several files."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not graph.external:
        shutil.copyfile(graph.file, target)
        return target
    # Triton's ONNX backend loads a directory (onnxruntime.cc, LoadModel), and DVC tracks it as one
    files = {target.name: graph.file} | {name: graph.file.parent / name for name in graph.external}
    for name, source in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / name)
    return target
