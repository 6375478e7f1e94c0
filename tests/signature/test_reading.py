"""Signatures next to DVC pointers: written as text, and trusted for their weights only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway import signature
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.model.folder import read_model_folder, source_files
from slipway.model.pointer import load_pointer
from slipway.signature import sidecar
from slipway.signature.signature import GraphTensor, Signature
from tests.signature.graphs import constant, save, tensor

SOME = Signature(
    format="onnx",
    inputs=(GraphTensor("X", "FP32", ("N", None, 3)), GraphTensor("ω", "BYTES", None)),
    optional_inputs=(GraphTensor("W", "FP32", ()),),
    outputs=(GraphTensor("Y", "sequence(FP32)", None),),
    ir_version=8,
    opsets={"": 17, "ai.onnx.ml": 3},
    operators=("com.elsewhere::Sharpen",),
    external_data=("weights.bin",),
)


def test_a_signature_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx.signature.json"
    sidecar.save_sidecar(sidecar.SignedSignature("0" * 32, 7, SOME), path)
    assert sidecar.load_sidecar(path) == sidecar.SignedSignature("0" * 32, 7, SOME)
    assert json.loads(path.read_text(encoding="utf-8"))["inputs"][1]["name"] == "ω"
    assert [line for line in path.read_text().splitlines() if '"X"' in line] == [
        '    {"name": "X", "datatype": "FP32", "shape": ["N", null, 3]},'
    ]


@pytest.mark.parametrize("content", ["", "[]", '{"md5": "0"}', "no json"])
def test_a_malformed_signature_file_says_how_to_write_it_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model.onnx.signature.json"
    path.write_text(content)
    with pytest.raises(SlipwayError, match="malformed signature file") as caught:
        sidecar.load_sidecar(path)
    assert caught.value.fix == f"slipway weights sign {tmp_path}/model.onnx.dvc"


def pointer(file: Path, md5: str) -> None:
    text = f"outs:\n- md5: {md5}\n  size: 1\n  hash: md5\n  path: {file.name}\n"
    file.with_name(f"{file.name}.dvc").write_text(text)


def test_what_is_known_of_weights_depends_on_what_lies_there(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    assert signature.read_signature(file).state == "absent"
    pointer(file, "a" * 32)
    assert signature.read_signature(file).state == "unsigned"
    sidecar.save_sidecar(sidecar.SignedSignature("0" * 32, 1, SOME), sidecar.sidecar_path(file))
    assert (signature.read_signature(file).state, signature.read_signature(file).signature) == (
        "stale",
        None,
    )
    sidecar.save_sidecar(sidecar.SignedSignature("a" * 32, 1, SOME), sidecar.sidecar_path(file))
    assert (signature.read_signature(file).state, signature.read_signature(file).signature) == (
        "signed",
        SOME,
    )
    save(file, [tensor("A", [1])], [tensor("B", [1])])
    read = signature.read_signature(file)
    assert read.state == "weights" and read.signature is not None
    assert read.signature.inputs[0].name == "A"
    file.write_bytes(b"no graph")
    assert signature.read_signature(file).state == "unreadable"
    file.write_bytes(b"\x18\x00\x00\x00ORTM and more")
    assert signature.read_signature(file).state == "foreign"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with DVC and a model folder, as the current directory."""
    (tmp_path / "slipway.toml").write_text("")
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (tmp_path / "models/x/x_inferencer/1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def weight(root: Path, name: str = "model.onnx") -> Path:
    file = root / "models/x/x_inferencer/1" / name
    return save(file, [tensor("X", ["N", 2])], [tensor("Y", ["N", 2])])


def test_add_writes_the_pointer_and_the_signature(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = weight(root).relative_to(root)
    assert main(["weights", "add", str(file)]) == 0
    assert capsys.readouterr().out.split() == [f"{file}.dvc", f"{file}.signature.json"]
    read = load_pointer(Path(f"{file}.dvc"))
    signed = sidecar.load_sidecar(sidecar.sidecar_path(file))
    assert (signed.md5, signed.size) == (read.md5, file.stat().st_size)
    assert file.exists()
    os.remove(file)
    assert signature.read_signature(file).state == "signed"


def test_weights_without_a_reader_are_added_without_a_signature(root: Path) -> None:
    file = root / "models/x/x_inferencer/1/model.pt"
    file.write_bytes(b"script")
    assert main(["weights", "add", str(file)]) == 0
    assert sorted(path.name for path in file.parent.iterdir()) == ["model.pt", "model.pt.dvc"]


def test_add_refuses_what_only_its_name_calls_a_graph(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = root / "models/x/x_inferencer/1/model.onnx"
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert main(["weights", "add", str(file)]) == 1
    assert "not an ONNX model" in capsys.readouterr().err
    assert [path.name for path in file.parent.iterdir()] == ["model.onnx"]


def test_a_file_that_dvc_ignores_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / ".dvcignore").write_text("/models/\n")
    assert main(["weights", "add", str(weight(root))]) == 1
    assert "DVC refused to add it" in capsys.readouterr().err


def test_sign_reads_what_is_only_in_the_cache(root: Path) -> None:
    file = weight(root)
    assert main(["weights", "add", str(file)]) == 0
    written = sidecar.sidecar_path(file).read_bytes()
    file.unlink()
    sidecar.sidecar_path(file).unlink()
    assert main(["weights", "sign", f"{file}.dvc"]) == 0
    assert sidecar.sidecar_path(file).read_bytes() == written
    assert not file.exists()


def test_a_directory_with_external_data_is_signed_as_a_whole(root: Path) -> None:
    import onnx

    folder = root / "models/x/x_inferencer/1/model.onnx"
    plain = save(
        root / "plain.onnx",
        [tensor("X", ["N", 2])],
        [tensor("Y", ["N", 2])],
        initializers=[constant("W", 8, 8)],
    )
    folder.mkdir()
    onnx.save_model(
        onnx.load(str(plain)),
        str(folder / "model.onnx"),
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    assert main(["weights", "add", str(folder)]) == 0
    signed = sidecar.load_sidecar(sidecar.sidecar_path(folder))
    assert signed.md5.endswith(".dir")
    assert signed.signature.external_data == ("weights.bin",)
    assert signature.read_signature(folder).state == "weights"


def test_signatures_are_not_packed(root: Path) -> None:
    file = weight(root)
    (root / "models/x/model_version.txt").write_text("1.0.0")
    config = root / "models/x/x_inferencer/config.pbtxt"
    config.write_text('backend: "onnxruntime"')
    assert main(["weights", "add", str(file)]) == 0
    packed = source_files(read_model_folder(root / "models/x"))
    assert sorted(packed) == ["x_inferencer/config.pbtxt"]
