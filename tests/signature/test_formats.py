"""Files that are not ONNX are named by what they are.

``fixtures/formats`` holds files of others: safetensors 0.8.0, gguf 0.19.0, h5py 3.16.0,
joblib 1.6.0, numpy 2.3, xgboost-cpu 3.4.1, lightgbm 4.7.0, and Python's pickle.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.signature import onnx
from slipway.signature.formats import recognize_format
from tests.fixture_models import save_adder

FORMATS = Path(__file__).parents[1] / "fixtures" / "formats"
WRITTEN = {
    "model.safetensors": "safetensors: weights without a graph",
    "model.gguf": "GGUF weights, as llama.cpp reads",
    "weights.h5": "an HDF5 file, such as Keras writes",
    "keras.h5": "an HDF5 file, such as Keras writes",
    "model.joblib": "a Python object of joblib",
    "compressed.joblib": "a Python object of joblib",
    "model.pkl": "a pickle: a Python object",
    "old.pkl": "a pickle: a Python object",
    "arrays.npz": "numpy arrays (.npz)",
    "model.json": "an XGBoost model in JSON",
    "model.ubj": "an XGBoost model in UBJSON",
    "lightgbm.txt": "a LightGBM model",
}


def archive(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as written:
        for name in names:
            written.writestr(name, "")
    return data.getvalue()


# as the formats' own documentation and source describe the beginning
DESCRIBED = {
    "TorchScript": (archive("net/data.pkl", "net/code/__torch__.py"), "a TorchScript model"),
    "torch.save": (archive("net/data.pkl", "net/byteorder"), "weights of torch.save"),
    "torch.export": (archive("net/models/model.json"), "a PyTorch program"),
    "Keras 3": (archive("metadata.json", "model.weights.h5"), "a Keras model"),
    "skops": (archive("schema.json"), "a skops file"),
    "zip": (archive("notes.txt"), "a zip archive"),
    "TFLite": (b"\x1c\0\0\0TFL3\x14\0", "a TensorFlow Lite model"),
    "CatBoost": (b"CBM1\x10\0\0\0", "a CatBoost model"),
    # specificationVersion = 4, and a neural network, which is field 500
    "Core ML": (b"\x08\x04\xa2\x1f\x00", "a Core ML model"),
    "git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of git"),
    "DVC": (b"outs:\n- md5: 0\n  path: model.onnx\n", "a pointer of DVC"),
    "web page": (b"\n<!DOCTYPE html>\n<html><head><title>Sign in", "a web page"),
    "S3": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied', "an error message of S3"),
    "PMML": (b'<?xml version="1.0"?>\n<PMML version="4.4">', "a PMML model"),
    "OpenVINO": (b'<?xml version="1.0"?>\n<net name="x" version="11">', "an OpenVINO model"),
    "gzip": (b"\x1f\x8b\x08\0", "a gzip file"),
    "nothing": (b"", "an empty file"),
    "code": ("import numpy as np  # ü\n".encode(), "a text file"),
}


@pytest.mark.parametrize(("name", "said"), WRITTEN.items())
def test_a_file_of_another_program_is_named(name: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    shutil.copyfile(FORMATS / name, file)
    with pytest.raises(SlipwayError) as refused:
        onnx.read_onnx(file)
    assert refused.value.what == f"not an ONNX model, but {said}"
    assert refused.value.fix


@pytest.mark.parametrize(("data", "said"), DESCRIBED.values(), ids=DESCRIBED)
def test_a_format_is_named_by_its_beginning(data: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(data)
    with pytest.raises(SlipwayError) as refused:
        onnx.read_onnx(file)
    assert refused.value.what.startswith(f"not an ONNX model, but {said}")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("saved_model.pb", "a TensorFlow SavedModel"),
        ("MLmodel", "an MLflow model"),
        ("config.json", "a Hugging Face model"),
        ("net.onnx", "a folder with an ONNX file"),
        ("notes.txt", None),
    ],
)
def test_a_folder_is_named_by_its_files(file: str, said: str | None, tmp_path: Path) -> None:
    (tmp_path / file).touch()
    known = recognize_format(tmp_path)
    assert (known.name if known else None) == said
    with pytest.raises(SlipwayError, match="not an ONNX model"):
        onnx.read_onnx(tmp_path)


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_truncated_graph_is_not_taken_for_another_format(cut: int, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    save_adder(file)
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(SlipwayError) as refused:
        onnx.read_onnx(file)
    assert refused.value.what.startswith("not an ONNX model: ")


def test_random_bytes_have_no_known_format(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    random = np.random.default_rng(1)
    for _ in range(300):
        file.write_bytes(b"\xff" + random.bytes(100))
        assert recognize_format(file) is None


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("model.safetensors", "safetensors"),
        (".", "a folder of 5 models: keras.h5, "),
        ("absent.onnx", "no such file"),
    ],
)
def test_new_says_what_it_was_given(
    name: str,
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "slipway.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["new", "made", "--from", str(FORMATS / name)]) == 1
    error = capsys.readouterr().err
    assert "fix: " in error and "Traceback" not in error
    assert what in error


@pytest.mark.parametrize("name", ["model.pt", "model.onnx"])
def test_a_pointer_in_place_of_weights_is_not_put_under_dvc(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slipway.toml").touch()
    (tmp_path / name).write_bytes(DESCRIBED["git LFS"][0])
    monkeypatch.chdir(tmp_path)
    assert main(["weights", "add", name]) == 1
    assert "fix: git lfs pull" in capsys.readouterr().err
    assert not (tmp_path / f"{name}.dvc").exists()
