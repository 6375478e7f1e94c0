"""Compare the joined graph with the graph before it and the code behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.fold.builder import Array
from slipway.fold.merge import Wiring
from slipway.fold.python_model import PythonModel
from slipway.fold.standalone import SEED, drawn, expect, open_session, run
from slipway.fold.trace import Traced
from slipway.signature.trial.example import SIZES, accepts
from slipway.signature.trial.graph import Graph, read_graph
from slipway.triton.datatypes import numpy_type

BYTES = "BYTES"
LIKE_IMAGE = 255


def compare_graphs(
    file: Path, merged: Any, wiring: Wiring, model: PythonModel, traced: Traced
) -> int:
    """Ask the graph in ``file`` and the code, and the ``merged`` graph; return how often.

    Raises:
        SlipwayError: the answers differ, or no input was found that the graph takes.
    """
    before = read_graph(file)
    session = open_session(merged, model)
    batches = wiring.batches
    size = _size(before, batches)
    compared = 0
    with model.loaded() as instance:
        for number, tensors in enumerate(drawn(model, traced)):
            rows = len(next(iter(tensors.values()))) if batches else 0
            feed = _draw(before, rows, size, np.random.default_rng((SEED, number)))
            outputs = before.run(feed)
            given = dict(tensors)
            for post, name in wiring.fed.items():
                given[post] = np.asarray(outputs[name])
            expected = {
                wiring.new_outputs[post]: np.asarray(value)
                for post, value in model.ask(instance, given).items()
                if post in wiring.new_outputs
            }
            new = {name: given[post] for post, name in wiring.new_inputs.items()}
            expect(model, traced, expected, run(session, {**feed, **new}, expected, ""))
            kept = {name: np.asarray(outputs[name]) for name in wiring.kept}
            expect(model, traced, kept, run(session, {**feed, **new}, kept, ""))
            compared += 1
    return compared


def _size(graph: Graph, batches: bool) -> int:
    """Return a size of free dimensions that the graph takes."""
    for size in SIZES:
        if accepts(graph, _draw(graph, int(batches), size, np.random.default_rng(SEED))):
            return size
    raise SlipwayError(
        "cannot be folded: no drawn input was found that the graph takes, to compare answers with",
        where=str(graph.file),
        fix="leave the postprocessing as it is",
    )


def _draw(graph: Graph, rows: int, size: int, random: np.random.Generator) -> dict[str, Array]:
    """Return inputs; a third of them wide, so that answers differ."""
    feed: dict[str, Array] = {}
    for tensor in graph.inputs:
        shape = [d if isinstance(d, int) else size for d in tensor.shape or ()]
        if rows:
            shape[0] = rows
        if tensor.datatype == BYTES:
            words = np.array(["", "red", "Grün", "two words"], dtype=object)
            feed[tensor.name] = np.asarray(words[random.integers(0, 4, shape)], dtype=object)
            continue
        kind = np.dtype(numpy_type(tensor.datatype))
        if kind.kind == "f":
            feed[tensor.name] = np.asarray(random.normal(0, 2, shape), dtype=kind)
        else:
            high = LIKE_IMAGE if kind == np.uint8 else 1
            feed[tensor.name] = np.asarray(random.integers(0, high + 1, shape), dtype=kind)
    return feed
