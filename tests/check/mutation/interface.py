"""What a served model's config tells its clients, and whether the server keeps to it.

A mistake in it may make another model that is as sound: nobody but its old clients can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput
from tritonclient.utils import triton_to_np_dtype

from slipway.errors import SlipwayError
from slipway.model import folder as repository
from slipway.triton import config
from slipway.triton.config import ModelConfig
from slipway.triton.datatypes import Array
from slipway.triton.kserve import BINARY
from tests.check.real_server import Asked, Outcome

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


def asked(told: ModelConfig, examples: Mapping[str, Array] | None = None) -> Asked:
    """A request for one row, as the config asks for it; a sequence of its own where it must be.

    Its values are those of ``examples``, by the inputs' names, as far as their types allow.
    """
    sequence = {"sequence_id": 1, "sequence_start": True, "sequence_end": True}
    alone = sequence if told.HasField("sequence_batching") else {}
    inputs = [_input(tensor, told, (examples or {}).get(tensor.name)) for tensor in told.input]
    body, size = InferenceServerClient.generate_request_body(inputs, **alone)
    return body, f"{BINARY}{len(body) if size is None else size}"


def kept(told: ModelConfig, outcome: Outcome) -> bool:
    """Whether every answer has what the config promises; types and shapes it says itself."""
    names = {tensor.name for tensor in told.output}
    return not outcome.refused and all(
        isinstance(answer, dict) and names <= answer.keys() for answer in outcome.answers
    )


def _told(told: ModelConfig) -> list[str]:
    return [str(told.max_batch_size), *map(str, told.input), "", *map(str, told.output)]


def _input(tensor: Any, told: ModelConfig, example: Array | None) -> InferInput:
    dims = [dim if dim > 0 else LENGTH for dim in tensor.dims]
    shape = [1, *dims] if told.max_batch_size > 0 else dims
    datatype = config.dtype_name(tensor.data_type)
    kind = triton_to_np_dtype(datatype)
    text = kind is np.object_
    if example is None or text != (example.dtype == np.object_):
        example = np.array([b"0" if text else 1], dtype=kind)
    made = InferInput(tensor.name, shape, datatype)
    made.set_data_from_numpy(np.resize(example, shape).astype(kind))
    return made
