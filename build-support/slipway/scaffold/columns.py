"""Choose whether clients send a tensor whole, or each of its named columns as an input of its own.

With columns, ``{"fare": 7, "age": 30}`` is a row: the preprocessing joins them. Triton's optional
inputs let a request leave out what may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from slipway.errors import SlipwayError
from slipway.formats.format import Feature, Tensor
from slipway.scaffold import naming

type Wish = Literal["columns", "tensor"] | None

MOST = 100  # columns that are chosen without being asked for: each is an input, in two configs
# names that libraries give to columns that have none
UNNAMED = re.compile(r"(f|x|feature|column|col|input|var|v)?[ _-]?\d+", re.IGNORECASE)
NAN = "np.nan"
FILL = {"FP16": NAN, "FP32": NAN, "FP64": NAN, "BYTES": 'b""'}


def data_type(datatype: str) -> str:
    """Return the config's name of a datatype: ``TYPE_STRING`` of ``BYTES``."""
    return "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"


@dataclass(frozen=True)
class ClientInput:
    """An input as clients send it.

    ``public`` is its name, ``feature`` the name that the training has for it. ``fill`` is Python
    for what a row without it gets; "": every row has it.
    """

    public: str
    feature: str
    datatype: str
    dims: tuple[int, ...]
    fill: str = ""

    @property
    def data_type(self) -> str:
        """Return the config's name of the type."""
        return data_type(self.datatype)


def splits(tensor: Tensor, wish: Wish) -> bool:
    """Return whether clients send the columns of ``tensor`` one by one.

    Raises:
        SlipwayError: it was asked for, and the file names no columns.
    """
    if len(tensor.dims) != 1 or tensor.dims == (1,):
        return False  # no table, or one column that is an input already
    named = len(tensor.features) == tensor.dims[0]
    if wish == "columns" and not named:
        raise SlipwayError(
            f"the file names no columns of its input {tensor.name!r}",
            fix="use --tensor; or train with named columns, such as a DataFrame's",
        )
    if wish is not None:
        return wish == "columns"
    return named and len(tensor.features) <= MOST and not _unnamed(tensor.features)


def _unnamed(features: tuple[Feature, ...]) -> bool:
    return all(UNNAMED.fullmatch(feature.name) for feature in features)


def client_inputs(
    tensor: Tensor, public: str, dims: tuple[int, ...], split: bool, taken: Collection[str]
) -> list[ClientInput]:
    """Return what clients send for ``tensor``, which they call ``public`` where it is whole.

    ``dims`` are those without columns; ``taken`` are names of other tensors.
    """
    if not split:
        only = tensor.features[0] if tensor.dims == (1,) and len(tensor.features) == 1 else None
        fill = _fill(only, tensor.datatype) if only else ""
        return [ClientInput(public, tensor.name, tensor.datatype, dims, fill)]
    inputs: list[ClientInput] = []
    for feature in tensor.features:
        name = naming.public(feature.name, {*taken, *(one.public for one in inputs)})
        fill = _fill(feature, tensor.datatype)
        inputs.append(ClientInput(name, feature.name, tensor.datatype, (1,), fill))
    return inputs


def _fill(feature: Feature, datatype: str) -> str:
    return FILL.get(datatype, "") if feature.missing else ""
