"""What Triton's ONNX Runtime backend accepts in a config's ``parameters`` and accelerators.

It follows the backend's source of release 25.04: onnxruntime_backend, src/onnxruntime.cc
(ModelState, ModelState::LoadModel); backend, src/backend_common.cc (ParseIntValue, ParseBoolValue).
Both ``slipway check`` and the local backend use it: neither accepts what production refuses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

INTRA_OP = "intra_op_thread_count"
INTER_OP = "inter_op_thread_count"
EXECUTION_MODE = "execution_mode"
ARENA = "enable_mem_arena"
PATTERN = "enable_mem_pattern"
SHRINKAGE = "memory.enable_memory_arena_shrinkage"
# numbers with few valid values, and whether only an instance on a GPU reads them
CHOICES = {
    EXECUTION_MODE: (range(2), False),
    "cudnn_conv_algo_search": (range(3), True),
    "arena_extend_strategy": (range(2), True),
}
NUMBERS = (INTRA_OP, INTER_OP, *CHOICES)
BOOLEANS = (ARENA, PATTERN)
# NVIDIA's container builds the backend with OpenVINO and TensorRT (Triton server, build.py)
CPU_ACCELERATORS = ("openvino",)
GPU_ACCELERATORS = ("tensorrt", "cuda")
CUDA_SINCE = "24.06"
PRECISIONS = ("FP32", "FP16", "INT8")
INT_MIN, INT_MAX = -(1 << 31), (1 << 31) - 1
LEADING_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")
TRUE, FALSE = ("true", "on", "1"), ("false", "off", "0")
# onnxruntime, core/session/inference_session.cc: ValidateAndParseShrinkArenaString
ARENA_DEVICE = re.compile(r"(cpu|gpu)(?::([0-9]*)(?::.*)?)?")


def parse_int(text: str) -> int:
    """Return the number that ``text`` begins with, as C++'s ``std::stoi`` does.

    Raises:
        ValueError: it begins with none.
        OverflowError: it does not fit 32 bits. The native backend does not catch that: its server
            ends.
    """
    match = LEADING_NUMBER.match(text)
    if match is None:
        raise ValueError(f"failed to convert '{text}' to integral number")
    number = int(match[1])
    if not INT_MIN <= number <= INT_MAX:
        raise OverflowError(f"'{text}' does not fit 32 bits, which ends the whole server")
    return number


def parse_bool(text: str) -> bool:
    """Return whether ``text`` is one of :data:`TRUE`.

    Raises:
        ValueError: it is neither one of :data:`TRUE` nor of :data:`FALSE`.
    """
    if text.lower() not in (*TRUE, *FALSE):
        raise ValueError(f"failed to convert '{text}' to boolean")
    return text.lower() in TRUE


def check_parameter(name: str, text: str, *, gpu: bool) -> None:
    """Check the parameter ``name``; unknown ones are the model's own, and accepted.

    Those that only matter on a GPU are read if ``gpu``.

    Raises:
        ValueError: the native backend refuses to load it.
        OverflowError: as :func:`parse_int`.
    """
    choices, only_gpu = CHOICES.get(name, (None, False))
    if only_gpu and not gpu:
        return
    if name in NUMBERS:
        number = parse_int(text)
        if choices is not None and number not in choices:
            expected = ", ".join(map(str, choices))
            raise ValueError(f"expected values for {name} are {expected} but got {number}")
    elif name in BOOLEANS:
        parse_bool(text)


def check_shrinkage(text: str, *, gpu: bool, arena: bool = True) -> None:
    """Check the devices of :data:`SHRINKAGE`, such as ``cpu:0;gpu:0``.

    Without ``arena``, the CPU has none that could shrink.

    Raises:
        ValueError: ONNX Runtime refuses it in every request, though the model loads.
    """
    # as C++'s getline splits it: nothing follows the last mark
    for device in text.removesuffix(";").split(";") if text else ():
        match = ARENA_DEVICE.fullmatch(device)
        if match is None:
            raise ValueError(
                f"Unsupported device specified in the memory arena shrink list: {device}"
            )
        number = int(match[2] or 0)
        if not (gpu if match[1] == "gpu" else arena and number == 0):
            raise ValueError(f"no arena of {device}, which is in the memory arena shrink list")


def check_accelerator(
    name: str, parameters: Mapping[str, str], *, gpu: bool, release: str = "99.99"
) -> None:
    """Check one ``gpu_execution_accelerator`` or, without ``gpu``, ``cpu_execution_accelerator``.

    Raises:
        ValueError: the backend of ``release`` does not know it, or one of its parameters.
    """
    known = GPU_ACCELERATORS if gpu else CPU_ACCELERATORS
    if name not in known or (name == "cuda" and release < CUDA_SINCE):
        raise ValueError(f"unknown Execution Accelerator '{name}' is requested")
    precision = parameters.get("precision_mode", PRECISIONS[0])
    if name == "tensorrt" and precision not in PRECISIONS:
        raise ValueError(f"unsupported precision mode '{precision}' is requested")
