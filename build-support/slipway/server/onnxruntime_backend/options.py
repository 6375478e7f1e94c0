"""The session's options: those that the config sets, as the native backend sets them.

What the config leaves out stays ONNX Runtime's default, as there: all cores, and threads that spin.
"""

from __future__ import annotations

from typing import Any

import onnxruntime as ort

from slipway.triton import onnx_parameters as parameters

# ModelState's constructor: 0 and any other level is ORT_ENABLE_ALL
GRAPH_LEVELS = {
    -1: ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    1: ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
}
DEVICE_ALLOCATOR = "session.use_device_allocator_for_initializers"
ERRORS_ONLY = 3


def parameters_of(config: dict[str, Any]) -> dict[str, str]:
    """Return the config's parameters by name."""
    return {
        name: value.get("string_value", "") for name, value in config.get("parameters", {}).items()
    }


def session_options(config: dict[str, Any], *, gpu: bool) -> Any:
    """Return the ``SessionOptions`` of an instance, on a GPU or not.

    Raises:
        ValueError: the native backend refuses a parameter or an accelerator.
        OverflowError: a number ends the native backend's server.
    """
    values = parameters_of(config)
    for name, text in values.items():
        parameters.check_parameter(name, text, gpu=gpu)
    _check_accelerators(config, gpu)
    options = ort.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    graph = config.get("optimization", {}).get("graph", {})
    options.graph_optimization_level = GRAPH_LEVELS.get(
        int(graph.get("level", 0)), ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    )
    if parameters.parse_int(values.get(parameters.EXECUTION_MODE, "0")) == 1:
        options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    intra, inter = (
        parameters.parse_int(values.get(name, "0"))
        for name in (parameters.INTRA_OP, parameters.INTER_OP)
    )
    if intra > 0:
        options.intra_op_num_threads = intra
    if inter > 0:
        options.inter_op_num_threads = inter
    if parameters.ARENA in values:
        options.enable_cpu_mem_arena = parameters.parse_bool(values[parameters.ARENA])
    if parameters.PATTERN in values:
        options.enable_mem_pattern = parameters.parse_bool(values[parameters.PATTERN])
    if DEVICE_ALLOCATOR in values:
        options.add_session_config_entry(DEVICE_ALLOCATOR, values[DEVICE_ALLOCATOR])
    for library in config.get("model_operations", {}).get("op_library_filename", []):
        options.register_custom_ops_library(library)
    return options


def run_options(config: dict[str, Any]) -> Any:
    """Return the ``RunOptions`` of every run."""
    options = ort.RunOptions()
    shrinkage = parameters_of(config).get(parameters.SHRINKAGE)
    if shrinkage is not None:
        options.add_run_config_entry(parameters.SHRINKAGE, shrinkage)
    return options


def _check_accelerators(config: dict[str, Any], gpu: bool) -> None:
    accelerators = config.get("optimization", {}).get("execution_accelerators", {})
    # the native backend reads those for a GPU on instances there only
    for field, on_gpu in (
        ("gpu_execution_accelerator", True),
        ("cpu_execution_accelerator", False),
    ):
        for accelerator in accelerators.get(field, []) if gpu or not on_gpu else ():
            parameters.check_accelerator(
                accelerator["name"], accelerator.get("parameters", {}), gpu=on_gpu
            )
