"""Models of a few lines, in place of a served one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import Array

COLUMNS = ("a", "b", "c", "d")


@dataclass
class Asked:
    """A function of [rows, numbers] to [rows] behind the tensors of ``interface``.

    ``batches`` are the numbers of rows of each request.
    """

    function: Callable[[Array], Array]
    batches: list[int] = field(default_factory=list)

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        table = np.concatenate([array.reshape(len(array), -1) for array in inputs.values()], axis=1)
        self.batches.append(len(table))
        return {"score": np.asarray(self.function(table.astype(np.float64)))[:, None]}


def table_interface(names: tuple[str, ...] = COLUMNS, *, optional: bool = False) -> Interface:
    """Return an interface of one number for each name."""
    inputs = {name: Tensor("FP64", (1,), optional) for name in names}
    return Interface(16, inputs, {"score": Tensor("FP64", (1,))})


def table(values: Array, names: tuple[str, ...] = COLUMNS) -> dict[str, Array]:
    """Return [rows, columns] as one tensor for each column."""
    rows = np.atleast_2d(values)
    return {name: rows[:, number : number + 1] for number, name in enumerate(names)}


def text_interface() -> Interface:
    """Return the interface of a model of one text."""
    return Interface(16, {"TEXT": Tensor("BYTES", (1,))}, {"SCORE": Tensor("FP64", (1,))})


def text(words: str) -> dict[str, Array]:
    """Return one row with a text."""
    return {"TEXT": np.array([[words.encode()]], dtype=object)}


def counts(weights: Mapping[str, float]) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
    """Return a model whose score is the sum of the weights of the words in a text."""

    def ask(inputs: Mapping[str, Array]) -> dict[str, Array]:
        texts = [value.decode(errors="replace").split() for value in inputs["TEXT"].ravel()]
        return {"SCORE": np.array([[sum(weights.get(w, 0.0) for w in words)] for words in texts])}

    return ask
