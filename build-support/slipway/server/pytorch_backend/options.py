"""The config's parameters, as the native backend reads them.

pytorch_backend, src/libtorch.cc: ModelState::ParseParameters and ModelInstanceState::Execute;
backend, src/backend_common.cc: ParseBoolValue, ParseIntValue. The messages are theirs.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

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


def apply_parameters(values: Mapping[str, str]) -> bool:
    """Set PyTorch's options, which are those of the whole process; return whether it infers only.

    Raises:
        ValueError: the native backend refuses a parameter.
        OverflowError: a number ends the native backend's server.
    """
    given = {name: parse_bool(values[name]) for name in BOOLEANS if name in values}
    numbers = {name: parse_int(values[name]) for name in NUMBERS if name in values}
    backend = torch._C
    backend._set_graph_executor_optimize(not given.get("DISABLE_OPTIMIZED_EXECUTION", False))
    for name, function in (
        ("ENABLE_TENSOR_FUSER", backend._jit_set_texpr_fuser_enabled),
        ("ENABLE_JIT_PROFILING", backend._jit_set_profiling_mode),
        ("ENABLE_JIT_EXECUTOR", backend._jit_set_profiling_executor),
    ):
        if name in given:
            function(given[name])
    for name, set_threads in zip(
        NUMBERS, (torch.set_num_threads, torch.set_num_interop_threads), strict=True
    ):
        if numbers.get(name, 0) > 0:
            set_threads(numbers[name])
    return given.get(INFERENCE_MODE, True)
