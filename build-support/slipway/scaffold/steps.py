"""Choose the tensor names and dims in the configs of a scaffold's four models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from slipway.formats.format import Converted, Tensor
from slipway.scaffold import naming
from slipway.scaffold.columns import ClientInput, Wish, client_inputs, data_type, splits
from slipway.signature.trial.graph import Graph, OnnxTensor
from slipway.triton.datatypes import numpy_type

type Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class StepTensor:
    """A tensor with the names it has in each step.

    ``name`` is the served file's, ``public`` that of clients and Python models. ``between`` is the
    ensemble's name between two steps, ``variable`` the one in Python code. ``dims`` are those of
    the Python models and the ensemble, ``graph_dims`` the inferencer's. ``scalar``: a row has no
    dimension of its own in the file, and is passed with dims [1]. ``stated``: the file declares as
    much of the shape as ONNX Runtime infers. ``clients`` is what clients send for an input.
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
    clients: tuple[ClientInput, ...] = ()

    @property
    def joined(self) -> bool:
        """Return whether clients send its columns, which the preprocessing joins."""
        return len(self.clients) > 1 or [c.public for c in self.clients] not in ([], [self.public])

    @property
    def harmful(self) -> bool:
        """Return whether an error with the graph's name becomes status 507; clients use another."""
        return any(text in self.name for text in naming.OUT_OF_MEMORY)

    @property
    def data_type(self) -> str:
        """Return the config's name of the type."""
        return data_type(self.datatype)

    @property
    def numpy(self) -> str:
        """Return numpy's type, as Python code has it."""
        return f"np.{np.dtype(numpy_type(self.datatype)).type.__name__}"

    def client_array(self, array: Array, batched: bool) -> Array:
        """Return the graph's array as clients see it: scalars have the shape [1]."""
        array = np.asarray(array)
        return array.reshape(array.shape[: int(batched)] + (1,)) if self.scalar else array


@dataclass(frozen=True)
class Steps:
    """The tensors of a file that is served with ``max_batch_size`` (0: without batches)."""

    max_batch_size: int
    inputs: tuple[StepTensor, ...]
    outputs: tuple[StepTensor, ...]

    @property
    def clients(self) -> tuple[ClientInput, ...]:
        """Return everything that clients send."""
        return tuple(client for tensor in self.inputs for client in tensor.clients)


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
    return Steps(max_batch_size, tuple(_whole(tensor) for tensor in inputs), outputs)


def plan_converted(
    converted: Converted, max_batch_size: int, wish: Wish, stated: Mapping[str, bool]
) -> Steps:
    """Return names and dims for what a conversion wrote; ``wish`` is whether columns are inputs.

    ``stated`` has for each served name whether the file declares as much as is inferred of it.

    Raises:
        SlipwayError: columns were asked for, and the file names none.
    """
    served = {
        tensor.name: converted.served.get(tensor.name, tensor.name)
        for tensor in (*converted.inputs, *converted.outputs)
    }
    names = _Names(set(served.values()))

    def step_tensor(tensor: Tensor, stage: str) -> StepTensor:
        chosen, row = names.choose(tensor.name, stage), tensor.dims or (1,)
        name = served[tensor.name]
        return StepTensor(
            name, *chosen, tensor.datatype, row, row, not tensor.dims, stated.get(name, True)
        )

    inputs = []
    for tensor in converted.inputs:
        split = max_batch_size > 0 and splits(tensor, wish)
        step = step_tensor(tensor, "prepared")
        clients = client_inputs(tensor, step.public, step.dims, split, names.ensemble)
        names.ensemble |= {client.public for client in clients}
        inputs.append(replace(step, clients=tuple(clients)))
    names.variables.clear()
    outputs = [step_tensor(tensor, "raw") for tensor in converted.outputs]
    return Steps(max_batch_size, tuple(inputs), tuple(outputs))


def _whole(tensor: StepTensor) -> StepTensor:
    client = ClientInput(tensor.public, tensor.name, tensor.datatype, tensor.dims)
    return replace(tensor, clients=(client,))


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
