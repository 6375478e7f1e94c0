"""Test that a model whose config allows several rows answers two as it answers one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.server.client import InferenceError
from slipway.signature.trial.example import nearly_equal
from slipway.signature.trial.graph import read_graph
from slipway.signature.trial.two_rows import try_two_rows
from slipway.testing.model import Model
from slipway.triton.datatypes import Array

GRAPHS = "*/*/model.onnx"


def check_two_rows(model: Model, request: Mapping[str, Array]) -> list[str]:
    """Return the problems with two equal rows; empty if they are answered as one is.

    The row is the first of ``request``. Nothing is tested where the config allows one row only, or
    where the model rejects that row.
    """
    if not takes_rows(model.interface, request):
        return []
    single = {name: array[:1] for name, array in request.items()}
    try:
        alone = model(single)
    except InferenceError:
        return []
    try:
        both = model({name: np.concatenate([row, row]) for name, row in single.items()})
    except InferenceError as error:
        reasons = [f"two rows fail, and one does not: {error.what}"]
        return [*reasons, *_wrong_declarations(model)]
    return list(_differences(alone, both)) if model.interface.batches else []


def takes_rows(interface: Interface, request: Mapping[str, Array]) -> bool:
    """Return whether two rows of ``request`` are allowed: its arrays' first dimension is the batch,
    or a free one."""
    if interface.batches:
        return interface.max_batch_size > 1
    dims = [interface.inputs[name].dims for name in request if name in interface.inputs]
    return len(dims) == len(request) and all(sizes and sizes[0] == -1 for sizes in dims)


def _differences(alone: Mapping[str, Array], both: Mapping[str, Array]) -> Iterator[str]:
    for name, row in alone.items():
        together = both.get(name)
        if together is None or together.shape != (2, *row.shape[1:]):
            shape = None if together is None else list(together.shape)
            yield f"output {name!r} is {list(row.shape)} for one row, and {shape} for two"
        elif not nearly_equal(together, np.concatenate([row, row])):
            yield f"output {name!r} is another for two equal rows than for one of them"


def _wrong_declarations(model: Model) -> Iterator[str]:
    """Yield what the model's ONNX graphs declare wrongly."""
    folder = model.server.folder(model.target)
    for file in sorted(folder.glob(GRAPHS)):
        try:
            trial = try_two_rows(read_graph(file))
        except SlipwayError:
            continue  # the server has loaded it: another release, or a graph of several files
        if trial is not None and str(trial):
            yield f"{file.relative_to(folder)}: {trial}"
