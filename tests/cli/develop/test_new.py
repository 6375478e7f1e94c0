"""``slipway new``: what it refuses, asks and prints."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dvc.repo import Repo

from slipway.cli import main
from slipway.cli.develop.new import new
from slipway.scaffold import from_onnx as scaffold
from tests.scaffold.graphs import doubler, identity

TOML = Path(__file__).parents[2] / "check" / "fixtures" / "good" / "slipway.toml"
SCALAR_STRING = 8  # onnx.TensorProto.STRING


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository in which the command runs, with a file ``graph.onnx``."""
    shutil.copyfile(TOML, tmp_path / "slipway.toml")
    Repo.init(str(tmp_path), no_scm=True).close()
    doubler(tmp_path / "graph.onnx", ["N", 3])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_flags_alone_make_a_model_and_say_what_is_next(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "made", "--from", "graph.onnx", "--version", "1.2.3"]) == 0
    output = capsys.readouterr().out
    assert "made takes batches of up to 16." in output
    assert "models/made created. Next:" in output and "slipway test made" in output
    assert (root / "models" / "made" / "model_version.txt").read_text() == "1.2.3\n"
    assert main(["check", "models/made"]) == 0


@pytest.mark.usefixtures("root")
def test_a_postprocessing_that_can_be_folded_is_named_until_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["new", "made", "--from", "graph.onnx"]) == 0
    assert "  slipway fold made " in capsys.readouterr().out
    assert main(["fold", "made", "--no-test"]) == 0
    assert main(["new", "folded", "--from", "graph.onnx", "--fold"]) == 0
    assert "slipway fold" not in capsys.readouterr().out


@pytest.mark.usefixtures("root")
def test_a_postprocessing_that_needs_another_package_is_not_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original = scaffold.write

    def write(*args: Any, **keywords: Any) -> Path:
        folder = original(*args, **keywords)
        with (folder / "made_postprocessing" / "1" / "model.py").open("a") as code:
            code.write("import absent\n")
        return folder

    monkeypatch.setattr(scaffold, "write", write)
    assert main(["new", "made", "--from", "graph.onnx"]) == 0
    output = capsys.readouterr().out
    assert "slipway test made" in output and "slipway fold" not in output


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["made"], "a name and a kind are needed"),
        (["--template", "text"], "a name and a kind are needed"),
        (["made", "--from", "graph.onnx", "--template", "text"], "exclude each other"),
        (["Made!", "--from", "graph.onnx"], "is not a valid model name"),
        (["made", "--from", "absent.onnx"], "no such file"),
        (["made", "--from", "slipway.toml"], "a text file, which is not converted as it is"),
        (["made", "--from", "."], "a folder of 2 models: graph.onnx, text.onnx"),
        (["made", "--from", "https://example.com/graph.onnx"], "a URL"),
        (["made", "--from", "graph.onnx", "--columns"], "ONNX names no columns"),
        (["made", "--from", "graph.onnx", "--backend", "fil"], "is not served by fil"),
        (["made", "--from", "graph.onnx", "--set", "x"], "no KEY=VALUE"),
        (["made", "--from", "graph.onnx", "--with", "onnx>1"], "not NAME==VERSION"),
        (["made", "--template", "text", "--backend", "fil"], "--backend is about a file"),
        (["made", "--template", "text", "--set", "a=1"], "--set is about a file"),
        (["made", "--from", "text.onnx"], "is a scalar string"),
        (["made", "--from", "graph.onnx", "--version", "one"], "is not a semantic version"),
        (["made", "--template", "text", "--max-batch-size", "0"], "the samples need batches"),
        (["made", "--prebuilt", "ocrr"], "no prebuilt model 'ocrr'"),
        (["made", "--prebuilt", "ocr", "--template", "text"], "exclude each other"),
        (["made", "--prebuilt", "ocr", "--max-batch-size", "4"], "has its own batches"),
    ],
)
def test_a_mistake_is_refused_and_leaves_nothing(
    root: Path, words: list[str], output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    identity(root / "text.onnx", [], SCALAR_STRING)
    before = sorted(root.rglob("*"))
    assert main(["new", *words]) == 1
    error = capsys.readouterr().err
    assert output in error and "\nfix: " in error
    assert sorted(root.rglob("*")) == before


def test_a_taken_name_is_refused_and_its_folder_left_as_it_is(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = root / "models" / "made"
    theirs.mkdir(parents=True)
    assert main(["new", "made", "--from", "graph.onnx"]) == 1
    assert "the model exists already" in capsys.readouterr().err
    assert list(theirs.iterdir()) == []


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Standard input and output that pass for a terminal."""
    runner = CliRunner()
    monkeypatch.setattr("slipway.cli.develop.new._is_terminal", lambda: True)
    return runner


def test_on_a_terminal_it_asks_for_kind_file_and_name(root: Path, terminal: CliRunner) -> None:
    result = terminal.invoke(new, input="file\ngraph.onnx\n\n4\ny\n", catch_exceptions=False)
    assert result.exit_code == 0
    assert "X" in result.output and "Write models/graph?" in result.output
    config = root / "models" / "graph" / "graph_pipeline" / "config.pbtxt"
    assert "max_batch_size: 4" in config.read_text()


def test_on_a_terminal_nothing_is_written_without_consent(root: Path, terminal: CliRunner) -> None:
    result = terminal.invoke(new, ["made", "--from", "graph.onnx"], input="n\n")
    assert result.exit_code != 0
    assert not (root / "models").exists()


def test_on_a_terminal_yes_is_consent(root: Path, terminal: CliRunner) -> None:
    result = terminal.invoke(new, ["made", "--template", "tabular", "--yes"], input="")
    assert result.exit_code == 0
    assert (root / "models" / "made" / "made_pipeline").is_dir()
