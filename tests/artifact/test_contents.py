"""``inspect`` and ``diff`` tell what a reader asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.artifact.contents import read_contents
from slipway.artifact.diff import diff
from slipway.cli import main
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from tests.artifact.samples import packed, write_environment, write_model


def test_equal_artifacts_have_no_difference(tiny: Path, environment: ExecutionEnvironment) -> None:
    made = read_contents(packed(tiny, environment).path)
    assert diff(made, made) == []


def test_each_kind_of_change_is_told_apart(
    tmp_path: Path, environment: ExecutionEnvironment
) -> None:
    before = read_contents(packed(write_model(tmp_path / "a"), environment).path)
    folder = write_model(tmp_path / "b", weights=b"better weights")
    (folder / "tiny_preprocessing/1/model.py").write_text("class TritonPythonModel: ...\n")
    file = folder / "tiny_inferencer/config.pbtxt"
    file.write_text(file.read_text().replace("8", "16"))
    (folder / "model_version.txt").write_text("1.3.0\n")
    newer = write_environment(tmp_path / "newer", numpy="1.26.5")
    changes = diff(before, read_contents(packed(folder, newer).path))
    assert [(change.part, change.name) for change in changes] == [
        ("release", "version"),
        ("weights", "tiny_inferencer/1/model.onnx"),
        ("packages", "numpy"),
        ("code", "tiny_preprocessing/1/model.py"),
        ("config", "tiny_inferencer/config.pbtxt"),
    ]
    assert changes[-1].detail is not None and "+max_batch_size: 16" in changes[-1].detail


def test_inspect_prints_signatures_and_provenance(
    tiny: Path, environment: ExecutionEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(packed(tiny, environment).path)
    assert main(["inspect", path]) == 0
    printed = capsys.readouterr().out
    for words in ("tiny_pipeline", "FP32", "numpy", "local CPython", "md5"):
        assert words in printed
    assert main(["inspect", "--json", path]) == 0
    assert json.loads(capsys.readouterr().out)["manifest"]["version"] == "1.2.0"


def test_a_foreign_archive_is_no_artifact(tmp_path: Path) -> None:
    import tarfile

    (tmp_path / "file").write_text("x")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "file", "file")
    with pytest.raises(SlipwayError, match="not a Slipway artifact"):
        read_contents(tmp_path / "a.tar.gz")
