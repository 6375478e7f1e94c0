"""OpenVINO's models and TensorRT's engines are passed through, and what does not fit is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.convert import convert
from slipway.formats.format import Options
from slipway.formats.kinds.tensorrt_plan import TensorRtPlan
from slipway.formats.plan import Demands
from slipway.formats.recognise import recognise
from slipway.triton.image.tensorrt import differs

MODELS = Path(__file__).parents[1] / "server" / "fixtures" / "standins" / "openvino"
ENGINE = {
    "tensorrt": "10.9.0",
    "gpu": "8.6",
    "input": "images:FP32:3,8,8",
    "output": "scores:FP32:10;boxes:INT32:-1,4",
}


def copy(name: str, folder: Path) -> Path:
    """Copy both files of a model."""
    for suffix in (".xml", ".bin"):
        shutil.copyfile(MODELS / f"{name}{suffix}", folder / f"{name}{suffix}")
    return folder / f"{name}.xml"


def engine(folder: Path) -> Path:
    """Write what begins as an engine does."""
    file = folder / "resnet.engine"
    file.write_bytes(b"ftrt" + (0x61).to_bytes(4, "little") + bytes(64))
    return file


def test_a_model_is_served_as_it_is_and_answers_as_openvino(tmp_path: Path) -> None:
    source = copy("dense", tmp_path)
    # OpenVINO computes in bfloat16 where the processor can: the backend has no option against it
    demands = Demands(tolerance=0.05)
    conversion = convert(source, tmp_path / "out", Options("", "25.04"), demands)
    assert (conversion.folder / "model.bin").read_bytes() == (MODELS / "dense.bin").read_bytes()
    converted = conversion.converted
    assert converted.max_batch_size == 1 and converted.inputs[0].dims == (3,)
    assert conversion.difference is not None and conversion.difference < 0.05
    assert conversion.record["versions"]["openvino"].startswith("2026.")
    rows, answers = conversion.rows["x"], conversion.answers["y"]
    weights = np.array([[1, 2], [3, 4], [5, 6]])
    np.testing.assert_allclose(
        answers.reshape(-1, 2), np.maximum(rows @ weights, 0), rtol=1e-4, atol=1e-5
    )


def test_a_model_without_its_weights_is_refused(tmp_path: Path) -> None:
    source = copy("dense", tmp_path)
    source.with_suffix(".bin").write_bytes(bytes(7))
    with pytest.raises(SlipwayError, match="have 7 bytes, and it reads 24") as refused:
        recognise(source)
    assert refused.value.fix and "copy dense.bin" in refused.value.fix


def test_a_model_that_is_cut_off_or_too_new_is_refused(tmp_path: Path) -> None:
    source = copy("dense", tmp_path)
    text = source.read_text()
    source.write_text(text[: len(text) // 2])
    with pytest.raises(SlipwayError, match="cut off"):
        recognise(source)
    source.write_text(text.replace('version="11"', 'version="12"', 1))
    with pytest.raises(SlipwayError, match="of version 12"):
        recognise(source)


def test_an_engine_is_passed_through_with_what_it_was_built_for(tmp_path: Path) -> None:
    conversion = convert(engine(tmp_path), tmp_path / "out", Options("", "25.04", None, ENGINE))
    assert conversion.converted.backend == "tensorrt" and conversion.converted.gpu
    assert [o.dims for o in conversion.converted.outputs] == [(10,), (-1, 4)]
    versions = conversion.record["versions"]
    assert versions["tensorrt"] == "10.9.0" and versions["compute capability"] == "8.6"
    notes = " ".join(conversion.converted.notes)
    assert "compute capability 8.6 only" in notes and "answers are not compared" in notes


def test_an_engine_tells_nothing_so_the_user_has_to(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="does not tell which TensorRT built it, for") as refused:
        TensorRtPlan().convert(engine(tmp_path), tmp_path, Options("", "25.04"))
    assert refused.value.fix and "--set gpu=8.6" in refused.value.fix


def test_an_engine_of_another_tensorrt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match=r"of TensorRT 10.9.0, and Triton 24.12 has 10.7.0.23"):
        TensorRtPlan().convert(engine(tmp_path), tmp_path, Options("", "24.12", None, ENGINE))
    assert differs("10.7.0", "24.12") is False
    assert differs("10.7.0", "25.04") is None


def test_an_engine_behind_metadata_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "yolo.engine"
    text = b'{"task": "detect"}'
    file.write_bytes(len(text).to_bytes(4, "little") + text + b"ftrt" + bytes(32))
    with pytest.raises(SlipwayError, match="behind 22 bytes of Ultralytics' metadata") as refused:
        TensorRtPlan().recognise(Contents(file))
    assert refused.value.fix and "tail -c +23 yolo.engine" in refused.value.fix
