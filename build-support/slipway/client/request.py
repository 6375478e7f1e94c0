"""A request that the client sends: the tensors that the model declares, in a body that fits."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.endpoint.protocol import LARGEST_BODY
from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.model.request import describe_inputs, fit, format_shape, similar_names
from slipway.triton.datatypes import Array

__all__ = ["check_size", "describe_inputs", "fit", "format_shape", "similar_names"]


def check_size(
    body: bytes,
    arrays: Mapping[str, Array],
    interface: Interface,
    limit: int = LARGEST_BODY,
) -> None:
    """Raise for a body that SageMaker refuses.

    Raises:
        SlipwayError: it is larger than ``limit`` bytes; states how many rows would fit.
    """
    if len(body) <= limit:
        return
    rows = next(iter(arrays.values())).shape[0] if interface.batches and arrays else 1
    fits = rows * limit // len(body)
    raise SlipwayError(
        f"the request has {len(body):,} bytes, and SageMaker accepts {limit:,}",
        fix=(
            f"send about {fits} of the {rows} rows at once"
            if fits and rows > 1
            else "make it smaller: scale images down, or compress them"
        ),
    )
