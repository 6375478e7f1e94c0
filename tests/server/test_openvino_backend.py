"""OpenVINO's models on the Python-based backend: dims, batches and parameters as natively."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slipway.server.openvino_backend.options import read_options
from slipway.server.server import Server
from tests.server.standin_models import ask, parameters, refusal, repository, tensor

ROWS = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
PADDING = {"ENABLE_BATCH_PADDING": "YES"}
IO = tensor("input", "x", "FP32", "3") + tensor("output", "y", "FP32", "2")


def model(folder: Path, file: str, config: str) -> Path:
    """A model of one intermediate representation."""
    files = {"model.xml": f"openvino/{file}.xml", "model.bin": f"openvino/{file}.bin"}
    return repository(folder, "openvino", files, config)


def test_a_layer_answers_full_batches_and_fails_others(server: Server, tmp_path: Path) -> None:
    server.load("dense", model(tmp_path, "dense", "max_batch_size: 2\n" + IO))
    np.testing.assert_array_equal(server.invoke("dense", {"x": ROWS})["y"], [[22, 28], [49, 64]])
    answer = ask(server, "dense", {"x": ROWS[:1]})
    assert "expected requests with batch size '2', got '1'... this error can be avoided" in str(
        answer
    )
    assert "openvino: Slipway's own, openvino 2025.0.0" in server.describe("dense")


def test_after_a_padded_batch_a_full_one_fails(server: Server, tmp_path: Path) -> None:
    """batch_pad_size_ is the instance's, and no batch sets it back to 0."""
    config = "max_batch_size: 4\n" + IO + parameters(PADDING)
    server.load("padded", model(tmp_path, "dense", config))
    full = np.tile(ROWS, (2, 1))
    assert len(server.invoke("padded", {"x": full})["y"]) == 4
    np.testing.assert_array_equal(server.invoke("padded", {"x": ROWS[:1]})["y"], [[22, 28]])
    assert "failed to split the output tensor 'y'" in str(ask(server, "padded", {"x": full}))


def test_zeros_that_fill_a_batch_take_part_in_what_mixes_rows(
    server: Server, tmp_path: Path
) -> None:
    io = tensor("input", "x", "FP32", "3") + tensor("output", "y", "FP32", "3")
    config = "max_batch_size: 4\n" + io + parameters(PADDING)
    server.load("mixing", model(tmp_path, "mixing", config))
    answer = server.invoke("mixing", {"x": ROWS})["y"]
    np.testing.assert_array_equal(answer, ROWS - ROWS.sum(0) / 4)


def test_without_batches_sizes_are_free(server: Server, tmp_path: Path) -> None:
    io = tensor("input", "x", "FP32", "-1, -1") + tensor("output", "y", "FP32", "-1, -1")
    server.load("free", model(tmp_path, "free", "max_batch_size: 0\n" + io))
    for rows in (ROWS, ROWS[:1, :2]):
        np.testing.assert_array_equal(server.invoke("free", {"x": rows})["y"], 2 * rows)


@pytest.mark.parametrize(
    ("file", "config", "message"),
    [
        ("dense", "max_batch_size: 2\n" + IO.replace("[ 2 ]", "[ 3 ]"), "complete shape [2,3])"),
        ("dense", "max_batch_size: 2\n" + IO.replace('"x"', '"X"'), "allowed inputs are: x"),
        ("dense", "max_batch_size: 2\n" + IO.replace('"y"', '"Y"'), "allowed outputs are: y"),
        ("dense", "max_batch_size: 2\n" + IO.replace("FP32", "FP64"), "unsupported datatype"),
        (
            "one_row",
            "max_batch_size: 0\n" + IO.replace("[ 3 ]", "[ -1, 3 ]"),
            "(shape [1,3]) but the model configuration specifies 2 dimensions (shape [-1,3])",
        ),
        (
            "dense",
            "max_batch_size: 2\ninstance_group { kind: KIND_GPU }\n" + IO,
            "Triton openVINO backend supports only CPU device",
        ),
        (
            "dense",
            "max_batch_size: 2\n" + IO + parameters({"NUM_STREAMS": "many"}),
            "to be either AUTO/NUMA/<int_value>, got many",
        ),
    ],
)
def test_what_the_native_backend_refuses_is_refused(
    file: str, config: str, message: str, server: Server, tmp_path: Path
) -> None:
    assert message in refusal(server, tmp_path.name, model(tmp_path, file, config))


def test_weights_that_are_missing_are_reported(server: Server, tmp_path: Path) -> None:
    folder = model(tmp_path, "dense", "max_batch_size: 2\n" + IO)
    (folder / "m" / "1" / "model.bin").unlink()
    assert "openvino error in reading model : " in refusal(server, "missing", folder)


def test_parameters_are_read_as_natively() -> None:
    given = {"NUM_STREAMS": "auto", "PERFORMANCE_HINT": "Latency", "HINT_BF16": "yes"}
    options = read_options({**given, **PADDING, "TARGET_DEVICE": "gpu"}, "25.04", batches=True)
    assert options.properties == {
        "NUM_STREAMS": "AUTO",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16",
    }
    assert options.pads and options.auto_batching and options.device == "CPU"
    assert read_options({"TARGET_DEVICE": "auto"}, "26.05", batches=False).device == "AUTO"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INFERENCE_NUM_THREADS", "-1"),
        ("HINT_BF16", "no"),
        ("PERFORMANCE_HINT", "fast"),
        ("NUM_STREAMS", "99999999999"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"expected the parameter|Create exception"):
        read_options({name: value}, "25.04", batches=False)
