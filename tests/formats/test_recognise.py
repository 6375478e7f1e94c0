"""Files are recognised by what they hold: each by one format at most, whatever its name is."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import onnx
import pytest

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.recognise import find_format, recognise
from slipway.formats.registry import formats
from tests.scaffold.graphs import doubler

TESTS = Path(__file__).parents[1]
FIXTURES = TESTS / "formats" / "fixtures"
# by format: files, and folders that are one model, as frameworks wrote them
WRITTEN = sorted(path for path in (FIXTURES / "written").glob("*/*"))
# and all others, damaged ones among them
FILES = sorted(
    path
    for folder in (FIXTURES, TESTS / "fixtures" / "formats")
    for path in folder.rglob("*")
    if path.is_file() and not {"outside", "written"} & set(path.parts)
)


def names(path: Path) -> list[str]:
    """Return the formats that take ``path`` for their own, to convert it or to refuse it."""
    contents = Contents(path)
    found = []
    for form in formats():
        try:
            if form.recognise(contents) is not None:
                found.append(form.name)
        except SlipwayError:
            found.append(form.name)
    return found


def recognised(path: Path) -> str | None:
    """Return the name of the format that would convert ``path``."""
    try:
        found = find_format(path)
    except SlipwayError:
        return None
    return found[0].name if found else None


ONE_FILE = [path for path in WRITTEN if path.is_file()]
LATER = "checkpoint.tl"  # has no length: treelite finds the end missing, in the conversion


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_what_a_framework_wrote_is_of_its_format_alone(path: Path) -> None:
    assert names(path) == [path.parent.name]
    assert recognised(path) == path.parent.name


def test_every_format_has_a_file_that_its_framework_wrote() -> None:
    without = {"openvino_ir", "tensorrt_plan"}  # test_openvino_and_tensorrt.py has theirs
    assert {form.name for form in formats()} - without == {path.parent.name for path in WRITTEN}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_is_of_two_formats(path: Path) -> None:
    assert len(names(path)) <= 1


@pytest.mark.parametrize("path", ONE_FILE, ids=lambda path: path.name)
@pytest.mark.parametrize("name", ["model", "model.onnx", "model.pkl", "model.json"])
def test_a_file_under_another_name_is_of_the_same_format(
    path: Path, name: str, tmp_path: Path
) -> None:
    shutil.copyfile(path, tmp_path / name)
    assert recognised(tmp_path / name) == path.parent.name


@pytest.mark.parametrize("path", [p for p in ONE_FILE if p.name != LATER], ids=lambda p: p.name)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_file_that_is_cut_off_is_refused_with_what_to_do(
    path: Path, part: float, tmp_path: Path
) -> None:
    data = path.read_bytes()
    file = tmp_path / path.name
    file.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(SlipwayError) as raised:
        recognise(file)
    assert raised.value.where == str(file) and raised.value.fix


def test_a_graph_that_is_cut_off_says_so(tmp_path: Path) -> None:
    whole = doubler(tmp_path / "a.onnx", ["N", 2]).read_bytes()
    file = tmp_path / "cut.onnx"
    for size in range(12, len(whole)):
        file.write_bytes(whole[:size])
        if _is_complete(file):  # without the opset of a domain that it does not use
            continue
        with pytest.raises(SlipwayError) as raised:
            recognise(file)
        assert raised.value.fix


def _is_complete(file: Path) -> bool:
    try:
        onnx.checker.check_model(str(file))
    except Exception:  # of protobuf or of the checker
        return False
    return True


def archive(*files: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as written:
        for name in files:
            written.writestr(name, "")
    return data.getvalue()


@pytest.mark.parametrize(
    "content, what, fix",
    [
        (b"", "no model, but an empty file", "download the file again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n",
            "no model, but a pointer of git LFS",
            "git lfs pull",
        ),
        (
            b"<!DOCTYPE html>\n<html><head><title>Sign in</title>",
            "no model, but a web page, not the file behind it",
            "the address may need a login",
        ),
        (b"outs:\n- md5: 0\n  path: model.pkl\n", "a pointer of DVC", "slipway weights pull"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied", "an error message of S3", "download"),
        (b"GGUF\3\0\0\0", "GGUF weights, as llama.cpp reads, which is not converted", "ONNX"),
        (b"\x1c\0\0\0TFL3\x14\0", "a TensorFlow Lite model, which is not converted", "tf2onnx"),
        (b"\x1f\x8b\x08\0", "a gzip file", "unpack it"),
        (b"PAR1", "a Parquet table", "name the weights"),
        (archive("notes.txt"), "a zip archive, which is not converted", "unpack it"),
        (archive("a.npy"), "numpy arrays", "export the model"),
        (b"\xff\xfe\x01 no format at all", "of no known format", "an ONNX model"),
        (b"\x80\x04cposix\nsystem\n.", "a Python object, which holds no model", "a scikit-learn"),
        (b"import numpy as np\n", "a text file, which is not converted", "export the model"),
    ],
)
def test_what_is_no_model_is_named_whatever_its_name_says(
    content: bytes, what: str, fix: str, tmp_path: Path
) -> None:
    for name in ("model.onnx", "model.pkl", "model"):
        file = tmp_path / name
        file.write_bytes(content)
        assert names(file) == []
        with pytest.raises(SlipwayError) as raised:
            recognise(file)
        assert what in raised.value.what and fix in (raised.value.fix or "")
        assert raised.value.where == str(file)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="not found"):
        recognise(tmp_path / "absent")


def test_a_folder_of_no_model_is_of_no_format(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SlipwayError) as raised:
        recognise(tmp_path)
    assert raised.value.where == str(tmp_path) and raised.value.fix


def test_every_format_has_a_name_of_its_own_and_a_title() -> None:
    assert len({form.name for form in formats()}) == len(formats())
    assert len({form.title for form in formats()}) == len(formats())
