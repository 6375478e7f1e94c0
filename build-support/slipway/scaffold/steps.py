"""What the four models of a scaffold call their tensors, and which dims their configs state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.scaffold import naming
from slipway.scaffold.graph import Graph, OnnxTensor

type Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Passed:
    """One tensor on its way: ``name`` is the graph's, ``public`` what clients and Python call it.

    ``between`` is the ensemble's name for it beside the inferencer, ``variable`` Python's. ``dims``
    are those of the Python models and the ensemble, ``graph_dims`` the inferencer's. ``scalar``: a
    row has no dimension of its own in the graph, and travels as dims [1]. ``stated``: the file says
    as much of the shape as ONNX Runtime.
    """

    name: str
    public: str
    between: str
    variable: str
    datatype: str
    dims: tuple[int, ...]
    graph_dims: tuple[int, ...]
    scalar: bool
    stated: bool

    @property
    def harmful(self) -> bool:
        """Whether the graph's name means 507 in an error; clients call the tensor otherwise."""
        return any(word in self.name for word in naming.OUT_OF_MEMORY)

    @property
    def data_type(self) -> str:
        """The config's word for the type."""
        return "TYPE_STRING" if self.datatype == "BYTES" else f"TYPE_{self.datatype}"

    def served(self, array: Array, batching: bool) -> Array:
        """An array of the graph's as clients see it: scalars have the shape [1]."""
        array = np.asarray(array)
        return array.reshape(array.shape[: int(batching)] + (1,)) if self.scalar else array


@dataclass(frozen=True)
class Steps:
    """The tensors of a graph, served with ``max_batch_size`` (0: without batches)."""

    max_batch_size: int
    inputs: tuple[Passed, ...]
    outputs: tuple[Passed, ...]


def plan(graph: Graph, max_batch_size: int, ranks: dict[str, int]) -> Steps:
    """Names and dims for ``graph``.

    ``ranks`` are those seen of outputs when the graph ran: it need not state them.
    """
    names = _Names({tensor.name for tensor in (*graph.inputs, *graph.outputs)})

    def passed(tensors: tuple[OnnxTensor, ...], stage: str) -> tuple[Passed, ...]:
        names.variables.clear()
        return tuple(
            _passed(tensor, names.of(tensor.name, stage), max_batch_size > 0, ranks)
            for tensor in tensors
        )

    inputs, outputs = passed(graph.inputs, "prepared"), passed(graph.outputs, "raw")
    return Steps(max_batch_size, inputs, outputs)


class _Names:
    """Hands out names; ``graph`` are the graph's own."""

    def __init__(self, graph: set[str]) -> None:
        self.graph = graph
        self.ensemble: set[str] = set()
        self.variables: set[str] = set()

    def of(self, name: str, stage: str) -> tuple[str, str, str]:
        """What clients, the ensemble and Python call the graph's tensor ``name``."""
        public = naming.public(name, self.ensemble)
        self.ensemble.add(public)
        between = naming.free(f"{stage}_{public}", self.ensemble | self.graph)
        self.ensemble.add(between)
        variable = naming.variable(public, self.variables)
        self.variables.add(variable)
        return public, between, variable


def _passed(
    tensor: OnnxTensor, names: tuple[str, str, str], batching: bool, ranks: dict[str, int]
) -> Passed:
    if tensor.shape is None:
        # the native backend takes a tensor of unknown rank for a scalar, whose dims are ones
        rank = ranks.get(tensor.name, 1)
        dims, graph_dims = (-1,) * rank or (1,), (1,) * max(rank, 1)
        scalar = rank == 0
    else:
        row = tensor.shape[int(batching) :]
        sizes = tuple(dim if isinstance(dim, int) else -1 for dim in row)
        dims = graph_dims = sizes or (1,)
        scalar = not sizes
    return Passed(tensor.name, *names, tensor.datatype, dims, graph_dims, scalar, tensor.stated)
