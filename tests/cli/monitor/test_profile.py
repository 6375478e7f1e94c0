"""``slipway profile``: rows of a file, of golden cases and of captures, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from slipway.cli import main
from slipway.profile.profile import load_profile
from tests.artifact.samples import write_model
from tests.profile import tensors


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one model of numbers."""
    write_model(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_rows(root: Path, rows: int = 300) -> None:
    numbers = tensors.numbers(rows)[:, 0]
    lines = [f"{number},{row}" for row, number in enumerate(numbers)]
    (root / "rows.csv").write_text("\n".join(["IN,other", *lines]))
    np.savez(root / "answers.npz", OUT=tensors.numbers(rows, 2))


def test_rows_and_their_answers_become_the_models_profile(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(root)
    assert main(["profile", "tiny", "--rows", "rows.csv", "--outputs", "answers.npz"]) == 0
    said = capsys.readouterr()
    assert "300 rows of rows.csv" in said.out and "columns of rows.csv that are not" in said.err
    data = (root / "models/tiny/profile.json").read_bytes()
    made = load_profile(data, where="here")
    assert (list(made.inputs), list(made.outputs), made.rows) == (["IN"], ["OUT"], 300)
    assert main(["profile", "tiny", "--rows", "rows.csv", "--outputs", "answers.npz"]) == 0
    assert (root / "models/tiny/profile.json").read_bytes() == data


def test_golden_cases_are_the_default_and_said_to_be_few(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = root / "models/tiny/tests/cases/two"
    case.mkdir(parents=True)
    (case / "input.json").write_text('{"inputs": {"IN": [[1.0], [2.0]]}}')
    outputs = {"OUT": {"shape": [2, 1], "datatype": "FP32", "data": [3.0, 4.0]}}
    (case / "expected.json").write_text(json.dumps({"outputs": outputs}))
    assert main(["profile", "tiny", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["outputs"]["OUT"]["series"]["value"]["high"] == 4.0
    assert "1 golden cases have only 2 rows" in said.err and "--rows FILE" in said.err


@pytest.mark.parametrize(
    "options, words",
    [
        ([], "no golden case with outputs"),
        (["--outputs", "answers.npz"], "--outputs are those of --rows"),
        (["--captured", "--rows", "rows.csv"], "--captured is for no --rows"),
        (["--rows", "photos"], "a folder of images is for a model with one input of BYTES"),
        (["--rows", "rows.csv", "--outputs", "short.npz"], "10 rows of outputs, and 300 rows"),
        (["--rows", "rows.csv", "--outputs", "answers.npz", "--kind", "IN=images"], "images"),
    ],
)
def test_a_mistake_is_said_and_nothing_is_written(
    root: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    write_rows(root)
    (root / "photos").mkdir()
    np.savez(root / "short.npz", OUT=tensors.numbers(10))
    assert main(["profile", "tiny", *options]) == 1
    assert words in capsys.readouterr().err
    assert not (root / "models/tiny/profile.json").exists()
