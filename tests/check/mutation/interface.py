"""The interface that a served model's config promises, and whether the server provides it.

A mistake in the config may create another valid model, which only its old clients notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput
from tritonclient.utils import triton_to_np_dtype

from slipway.errors import SlipwayError
from slipway.model.folder import read_model_folder
from slipway.triton import config
from slipway.triton.config import ModelConfig
from slipway.triton.datatypes import Array
from slipway.triton.kserve import BINARY
from tests.check.real_server import Outcome, ServerRequest

LENGTH = 3  # of variable dimensions


def served_config(folder: Path) -> ModelConfig | None:
    """Return the config of the model that an endpoint serves; ``None`` if it is ambiguous."""
    try:
        model = read_model_folder(folder)
    except SlipwayError:
        return None
    return model.configs[model.ensemble]


def is_same(first: ModelConfig, other: ModelConfig) -> bool:
    """Return whether two configs promise the same interface."""
    return _promise(first) == _promise(other)


def build_request(
    config_message: ModelConfig, examples: Mapping[str, Array] | None = None
) -> ServerRequest:
    """Return a request for one row that fits the config; for a sequence model, a whole sequence.

    Its values are those of ``examples``, by the inputs' names, as far as their types allow.
    """
    sequence = {"sequence_id": 1, "sequence_start": True, "sequence_end": True}
    flags = sequence if config_message.HasField("sequence_batching") else {}
    inputs = [
        _input(tensor, config_message, (examples or {}).get(tensor.name))
        for tensor in config_message.input
    ]
    body, size = InferenceServerClient.generate_request_body(inputs, **flags)
    return body, f"{BINARY}{len(body) if size is None else size}"


def keeps_promise(config_message: ModelConfig, outcome: Outcome) -> bool:
    """Return whether every answer has the promised outputs; their types and shapes may vary."""
    names = {tensor.name for tensor in config_message.output}
    return not outcome.refused and all(
        isinstance(answer, dict) and names <= answer.keys() for answer in outcome.answers
    )


def _promise(config_message: ModelConfig) -> list[str]:
    return [
        str(config_message.max_batch_size),
        *map(str, config_message.input),
        "",
        *map(str, config_message.output),
    ]


def _input(tensor: Any, config_message: ModelConfig, example: Array | None) -> InferInput:
    dims = [dim if dim > 0 else LENGTH for dim in tensor.dims]
    shape = [1, *dims] if config_message.max_batch_size > 0 else dims
    datatype = config.dtype_name(tensor.data_type)
    kind = triton_to_np_dtype(datatype)
    text = kind is np.object_
    if example is None or text != (example.dtype == np.object_):
        example = np.array([b"0" if text else 1], dtype=kind)
    tensor_input = InferInput(tensor.name, shape, datatype)
    tensor_input.set_data_from_numpy(np.resize(example, shape).astype(kind))
    return tensor_input
