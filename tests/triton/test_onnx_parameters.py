"""Parameters as the ONNX Runtime backend's C++ reads them (native-onnxruntime, 2a.6, 2a.7, 2b)."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import helper

from slipway.triton import onnx_parameters as parameters


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), (" \t+2", 2), ("1.5", 1), ("2 threads", 2), ("-1", -1), ("007", 7)],
)
def test_a_number_is_what_the_text_begins_with(text: str, number: int) -> None:
    assert parameters.parse_int(text) == number


@pytest.mark.parametrize("text", ["", "abc", "parallel", "+", "- 1"])
def test_text_that_begins_with_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"failed to convert '.*' to integral number"):
        parameters.parse_int(text)


def test_a_number_beyond_32_bits_is_no_value_error() -> None:
    """``std::out_of_range`` leaves ParseIntValue, and nothing above it catches that."""
    with pytest.raises(OverflowError):
        parameters.parse_int("2147483648")


@pytest.mark.parametrize(("text", "value"), [("TRUE", True), ("on", True), ("0", False)])
def test_a_boolean_has_three_spellings_in_any_case(text: str, value: bool) -> None:
    assert parameters.parse_bool(text) is value


@pytest.mark.parametrize(
    ("name", "text", "gpu"),
    [
        ("execution_mode", "2", False),
        ("execution_mode", "", False),
        ("intra_op_thread_count", "", False),
        ("inter_op_thread_count", "many", False),
        ("enable_mem_arena", "maybe", False),
        ("enable_mem_pattern", "yes", False),
        ("cudnn_conv_algo_search", "3", True),
        ("arena_extend_strategy", "kSameAsRequested", True),
    ],
)
def test_a_parameter_that_the_load_refuses(name: str, text: str, gpu: bool) -> None:
    with pytest.raises(ValueError, match="failed to convert|expected values"):
        parameters.check_parameter(name, text, gpu=gpu)


def test_other_parameters_are_the_models_own() -> None:
    parameters.check_parameter("threshold", "maybe", gpu=True)
    parameters.check_parameter("cudnn_conv_algo_search", "3", gpu=False)


@pytest.mark.parametrize(
    ("text", "arena"),
    [
        *((text, True) for text in ("cpu:0", "cpu:0;", "", "cpu", "cpu:", "cpu:0:1", "cpu:00")),
        *((text, True) for text in ("nonsense", " cpu:0", "CPU:0", "cpu: 0", "cpu:+0", "cpu:1")),
        *((text, True) for text in (";cpu:0", "cpu:0;;cpu:0", "gpu:0", "cpu:0;gpu:0")),
        *((text, False) for text in ("cpu:0", "")),
    ],
)
def test_an_arena_shrinks_where_onnx_runtime_lets_it(text: str, arena: bool) -> None:
    """The list is ONNX Runtime's own: it is asked."""
    tensors = [helper.make_tensor_value_info(name, 1, ["N"]) for name in ("X", "Y")]
    node = helper.make_node("Neg", ["X"], ["Y"])
    opset = [helper.make_opsetid("", 17)]
    graph = helper.make_graph([node], "g", tensors[:1], tensors[1:])
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    settings = ort.SessionOptions()
    settings.enable_cpu_mem_arena = arena
    session = ort.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    options = ort.RunOptions()
    options.add_run_config_entry(parameters.SHRINKAGE, text)
    try:
        session.run(None, {"X": np.ones(2, np.float32)}, options)
    except Exception:  # ONNX Runtime's exceptions have no common public root
        with pytest.raises(ValueError, match="memory arena shrink list"):
            parameters.check_shrinkage(text, gpu=False, arena=arena)
    else:
        parameters.check_shrinkage(text, gpu=False, arena=arena)


def test_the_arena_of_a_gpu_shrinks_where_one_may_be() -> None:
    parameters.check_shrinkage("cpu:0;gpu:1", gpu=True)


def test_accelerators_are_those_of_nvidias_container() -> None:
    parameters.check_accelerator("openvino", {}, gpu=False)
    parameters.check_accelerator("tensorrt", {"precision_mode": "FP16"}, gpu=True)
    parameters.check_accelerator("cuda", {}, gpu=True)
    for name, values, gpu, release in (
        ("xnnpack", {}, False, "25.04"),
        ("tensorrt", {}, False, "25.04"),
        ("openvino", {}, True, "25.04"),
        ("cuda", {}, True, "24.05"),
        ("tensorrt", {"precision_mode": "BF16"}, True, "25.04"),
    ):
        with pytest.raises(ValueError, match="is requested"):
            parameters.check_accelerator(name, values, gpu=gpu, release=release)
