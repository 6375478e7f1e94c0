"""Choose the tensor names and dims in the configs of a scaffold's four models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.scaffold import naming
from slipway.signature.trial.graph import Graph, OnnxTensor

type Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class StepTensor:
    """A tensor with the names it has in each step.

    ``name`` is the graph's, ``public`` that of clients and Python models. ``between`` is the
    ensemble's name between two steps, ``variable`` the one in Python code. ``dims`` are those of
    the Python models and the ensemble, ``graph_dims`` the inferencer's. ``scalar``: a row has no
    dimension of its own in the graph, and is passed with dims [1]. ``stated``: the file declares as
    much of the shape as ONNX Runtime infers.
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
        """Return whether an error with the graph's name becomes status 507; clients use another."""
        return any(text in self.name for text in naming.OUT_OF_MEMORY)

    @property
    def data_type(self) -> str:
        """Return the config's name of the type."""
        return "TYPE_STRING" if self.datatype == "BYTES" else f"TYPE_{self.datatype}"

    def client_array(self, array: Array, batched: bool) -> Array:
        """Return the graph's array as clients see it: scalars have the shape [1]."""
        array = np.asarray(array)
        return array.reshape(array.shape[: int(batched)] + (1,)) if self.scalar else array


@dataclass(frozen=True)
class Steps:
    """The tensors of a graph that is served with ``max_batch_size`` (0: without batches)."""

    max_batch_size: int
    inputs: tuple[StepTensor, ...]
    outputs: tuple[StepTensor, ...]


def plan_steps(graph: Graph, max_batch_size: int, ranks: dict[str, int]) -> Steps:
    """Return names and dims for ``graph``.

    ``ranks`` are those of the outputs when the graph ran, as it may not declare them.
    """
    names = _Names({tensor.name for tensor in (*graph.inputs, *graph.outputs)})

    def step_tensors(tensors: tuple[OnnxTensor, ...], stage: str) -> tuple[StepTensor, ...]:
        names.variables.clear()
        return tuple(
            _step_tensor(tensor, names.choose(tensor.name, stage), max_batch_size > 0, ranks)
            for tensor in tensors
        )

    inputs, outputs = step_tensors(graph.inputs, "prepared"), step_tensors(graph.outputs, "raw")
    return Steps(max_batch_size, inputs, outputs)


class _Names:
    """Choose unique names; ``graph`` are the graph's own."""

    def __init__(self, graph: set[str]) -> None:
        self.graph = graph
        self.ensemble: set[str] = set()
        self.variables: set[str] = set()

    def choose(self, name: str, stage: str) -> tuple[str, str, str]:
        """Return the names of the graph's tensor ``name`` for clients, ensemble and Python code."""
        public = naming.public(name, self.ensemble)
        self.ensemble.add(public)
        between = naming.free(f"{stage}_{public}", self.ensemble | self.graph)
        self.ensemble.add(between)
        variable = naming.variable(public, self.variables)
        self.variables.add(variable)
        return public, between, variable


def _step_tensor(
    tensor: OnnxTensor, names: tuple[str, str, str], batched: bool, ranks: dict[str, int]
) -> StepTensor:
    if tensor.shape is None:
        # the native backend treats a tensor of unknown rank as a scalar, whose dims are ones
        rank = ranks.get(tensor.name, 1)
        dims, graph_dims = (-1,) * rank or (1,), (1,) * max(rank, 1)
        scalar = rank == 0
    else:
        row = tensor.shape[int(batched) :]
        sizes = tuple(dim if isinstance(dim, int) else -1 for dim in row)
        dims = graph_dims = sizes or (1,)
        scalar = not sizes
    return StepTensor(tensor.name, *names, tensor.datatype, dims, graph_dims, scalar, tensor.stated)
