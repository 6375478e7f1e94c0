"""Set PyTorch's options as the native backend does.

pytorch_backend, src/libtorch.cc: ModelState::ParseParameters and ModelInstanceState::Execute.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from slipway.server.pytorch_backend.parameters import INFERENCE_MODE, NUMBERS, read_parameters


def apply_parameters(values: Mapping[str, str]) -> bool:
    """Set PyTorch's options, which are those of the whole process; return whether it infers only.

    Raises:
        ValueError: the native backend refuses a parameter.
        OverflowError: a number ends the native backend's server.
    """
    given, numbers = read_parameters(values)
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
