"""The config's parameters, as the native backend reads them; ``slipway check`` reads them so, too.

pytorch_backend, src/libtorch.cc: ModelState::ParseParameters; backend, src/backend_common.cc:
ParseBoolValue, ParseIntValue. The messages are theirs.
"""

from __future__ import annotations

from collections.abc import Mapping

from slipway.triton.onnx_parameters import parse_bool, parse_int

INFERENCE_MODE = "INFERENCE_MODE"
# in the order in which they are read; those of the JIT change nothing unless they are given
BOOLEANS = (
    "DISABLE_OPTIMIZED_EXECUTION",
    "ENABLE_CACHE_CLEANING",
    INFERENCE_MODE,
    "DISABLE_CUDNN",
    "ENABLE_WEIGHT_SHARING",
    "ENABLE_TENSOR_FUSER",
    "ENABLE_JIT_PROFILING",
    "ENABLE_JIT_EXECUTOR",
)
NUMBERS = ("INTRA_OP_THREAD_COUNT", "INTER_OP_THREAD_COUNT")


def read_parameters(values: Mapping[str, str]) -> tuple[dict[str, bool], dict[str, int]]:
    """Return the switches and the numbers that a config gives.

    Raises:
        ValueError: the native backend refuses a parameter.
        OverflowError: a number ends the native backend's server.
    """
    switches = {name: parse_bool(values[name]) for name in BOOLEANS if name in values}
    return switches, {name: parse_int(values[name]) for name in NUMBERS if name in values}
