"""Files of Keras and TensorFlow are recognised by what they hold; code in them is refused."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.formats.recognise import recognise


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("picture.keras", "a Sequential model of Keras 3.15.1 (.keras, 8 layers)"),
        ("picture.h5", "a Sequential model of Keras 3.15.1 (HDF5, 8 layers)"),
        ("keras_2.h5", "a Functional model of Keras 2.21.0 (HDF5, 4 layers)"),
    ],
)
def test_a_file_says_which_keras_wrote_it(
    files: Path, tmp_path: Path, name: str, about: str
) -> None:
    renamed = tmp_path / "model.bin"
    renamed.write_bytes((files / name).read_bytes())
    form, recognised = recognise(renamed)
    assert form.name == "keras" and recognised.about == about


@pytest.mark.parametrize("name", ["lambda.keras", "lambda_keras_2.h5"])
def test_a_lambda_layer_is_refused_unread(files: Path, name: str) -> None:
    with pytest.raises(SlipwayError, match="a Lambda layer holds Python code") as error:
        recognise(files / name)
    assert error.value.fix and "register_keras_serializable" in error.value.fix


@pytest.mark.parametrize("name", ["picture.weights.h5", "weights_keras_2.h5"])
def test_weights_alone_are_refused(files: Path, name: str) -> None:
    with pytest.raises(SlipwayError, match="weights of Keras only") as error:
        recognise(files / name)
    assert error.value.fix and "model.save(FILE.keras)" in error.value.fix


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("picture.keras", "a zip archive that is cut off"),
        ("picture.h5", "the HDF5 file is truncated"),
    ],
)
def test_a_truncated_file_is_refused(files: Path, tmp_path: Path, name: str, what: str) -> None:
    cut = tmp_path / name
    cut.write_bytes((files / name).read_bytes()[:-500])
    with pytest.raises(SlipwayError, match=what):
        recognise(cut)


@pytest.mark.parametrize(
    ("version", "what"),
    [
        ("3.99.0", "written by Keras 3.99.0, newer than the 3.15"),
        ("2.15.0", "a .keras archive of Keras 2.15.0, which Keras 3 cannot load"),
    ],
)
def test_an_archive_of_another_keras_is_refused(
    files: Path, tmp_path: Path, version: str, what: str
) -> None:
    newer = tmp_path / "newer.keras"
    with zipfile.ZipFile(files / "picture.keras") as old, zipfile.ZipFile(newer, "w") as archive:
        for name in old.namelist():
            data = old.read(name)
            if name == "metadata.json":
                data = json.dumps({"keras_version": version, "date_saved": "-"}).encode()
            archive.writestr(name, data)
    with pytest.raises(SlipwayError, match=what):
        recognise(newer)


def test_a_saved_model_of_a_newer_tensorflow_is_refused(files: Path, tmp_path: Path) -> None:
    newer = tmp_path / "saved"
    shutil.copytree(files / "saved", newer)
    graph = newer / "saved_model.pb"
    graph.write_bytes(graph.read_bytes().replace(b"2.21.0", b"2.99.0"))
    with pytest.raises(SlipwayError, match="written by TensorFlow 2.99.0, newer than the 2.21"):
        recognise(newer)


def test_a_saved_model_without_its_variables_is_refused(files: Path, tmp_path: Path) -> None:
    part = tmp_path / "saved"
    shutil.copytree(files / "saved", part)
    (part / "variables" / "variables.data-00000-of-00001").unlink()
    with pytest.raises(SlipwayError, match="the copy is not complete"):
        recognise(part)
