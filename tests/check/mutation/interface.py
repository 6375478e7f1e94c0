"""What a served model's config tells its clients, and whether the server keeps to it.

A mistake in it may make another model that is as sound: nobody but its old clients can tell.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tritonclient.utils import triton_to_np_dtype

from check.real_server import Asked, Outcome, as_arrays
from slipway import config, repository
from slipway.config import ModelConfig
from slipway.errors import SlipwayError
from slipway.server.client import Array

LENGTH = 3  # of what may be of any


def declared(folder: Path) -> ModelConfig | None:
    """The config of the model that an endpoint serves; ``None`` where that is not clear."""
    try:
        read = repository.read(folder)
    except SlipwayError:
        return None
    return read.configs[read.ensemble]


def same(one: ModelConfig, other: ModelConfig) -> bool:
    """Whether two configs tell their clients the same."""
    return _told(one) == _told(other)


def asked(told: ModelConfig) -> Asked:
    """A request for one row, as the config asks for it."""
    return as_arrays({tensor.name: _array(tensor, told) for tensor in told.input})


def kept(told: ModelConfig, outcome: Outcome) -> bool:
    """Whether every answer has what the config promises; types and shapes it says itself."""
    names = {tensor.name for tensor in told.output}
    return not outcome.refused and all(
        isinstance(answer, dict) and names <= answer.keys() for answer in outcome.answers
    )


def _told(told: ModelConfig) -> list[str]:
    return [str(told.max_batch_size), *map(str, told.input), "", *map(str, told.output)]


def _array(tensor: Any, told: ModelConfig) -> Array:
    dims = [dim if dim > 0 else LENGTH for dim in tensor.dims]
    shape = [1, *dims] if told.max_batch_size > 0 else dims
    kind = triton_to_np_dtype(config.dtype_name(tensor.data_type))
    if kind is np.object_:
        return np.full(shape, b"0", dtype=np.object_)
    return np.ones(shape, dtype=kind)
