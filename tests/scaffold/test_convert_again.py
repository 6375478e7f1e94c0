"""A file that XGBoost wrote becomes a model, and is converted again from what DVC keeps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import slipway
from slipway.cli import main
from slipway.model.local_weights import differs
from slipway.model.original import load_record
from slipway.model.pointer import load_pointer
from tests import sessions
from tests.docs.pages import DOCS

FIXTURES = Path(__file__).parent / "fixtures"
TOML = Path(__file__).parents[1] / "check" / "fixtures" / "good" / "slipway.toml"
MODEL = "models/survival"
ORIGINAL = f"{MODEL}/original/survival.ubj"
NEW = "slipway new survival --from survival.ubj --rows passengers.csv"
SERVED = f"{MODEL}/survival_inferencer/1/model.onnx"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of git and DVC with a remote, and one model of a file of XGBoost.

    What ``slipway new`` printed is in the file ``printed`` next to it.
    """
    root = tmp_path_factory.mktemp("repository")
    shutil.copyfile(TOML, root / "slipway.toml")
    for words in (
        ["git", "init", "--quiet", "--initial-branch=main"],
        [sys.executable, "-m", "dvc", "init", "--quiet"],
        [sys.executable, "-m", "dvc", "remote", "add", "--quiet", "-d", "here", "../remote"],
    ):
        subprocess.run(words, cwd=root, env=environment(root), check=True)
    for name in ("survival.ubj", "passengers.csv"):
        shutil.copyfile(FIXTURES / name, root / name)
    printed = subprocess.run(
        [sys.executable, "-m", "slipway", *NEW.split()[1:]],
        cwd=root,
        env=environment(root),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    (root.parent / "printed").write_text(printed, encoding="utf-8")
    commit(root)
    return root


@pytest.fixture
def root(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the repository, in which the command runs."""
    copy = tmp_path / "copy"
    shutil.copytree(repository, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def environment(root: Path) -> dict[str, str]:
    """Return the variables of a shell that has ``slipway`` on its path."""
    return os.environ | {
        "PATH": f"{root.parent / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(slipway.__file__).parent.parent),
        "DVC_NO_ANALYTICS": "1",
    }


def commit(root: Path) -> None:
    """Commit everything that git does not ignore."""
    user = ["-c", "user.name=tests", "-c", "user.email=tests@localhost"]
    for words in (["add", "--all"], [*user, "commit", "--quiet", "--message", "as it is"]):
        subprocess.run(["git", *words], cwd=root, check=True)


def unchanged(root: Path) -> bool:
    """Return whether git sees no change."""
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=root, check=True, capture_output=True).stdout == b""


def test_it_is_converted_to_the_same_bytes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "convert", "survival"]) == 0
    output = capsys.readouterr().out
    assert f"{SERVED}: the bytes served" in output
    assert (root / MODEL / "original/converted/model.onnx").read_bytes() == (
        root / SERVED
    ).read_bytes()
    assert unchanged(root)


def test_the_page_shows_the_command_and_what_it_prints(repository: Path) -> None:
    page = (DOCS / "formats.md").read_text(encoding="utf-8")
    shown = page.partition("```\n")[2].partition("```")[0].splitlines()
    printed = (repository.parent / "printed").read_text(encoding="utf-8").splitlines()
    assert f"    {NEW}\n" in page
    # how it is isolated is the machine's
    unlike = [line for line in shown if not line.startswith("converted in isolation: ")]
    assert unlike == [line for line in printed if line in unlike]
    assert any(line.startswith("converted in isolation: ") for line in printed)


def test_the_users_rows_are_the_golden_case(root: Path) -> None:
    content = json.loads((root / MODEL / "tests/cases/reference/input.json").read_text())
    columns = {entry["name"]: entry["data"] for entry in content["inputs"]}
    assert columns["age"] == [68, 24, 14, 40, 50, 22]
    record = load_record(root / MODEL)
    assert record is not None and record["rows"] == {"count": 6, "drawn": False}


def test_another_machine_fetches_the_original_and_repeats_it_with_dvc(root: Path) -> None:
    assert main(["weights", "push", "survival"]) == 0
    shutil.rmtree(root / ".dvc" / "cache")
    (root / ORIGINAL).unlink()
    (root / SERVED).unlink()
    sessions.add_program(root.parent / "bin", "slipway", module="slipway")
    variables = environment(root)
    for words in (["pull", ORIGINAL], ["repro", f"{MODEL}/dvc.yaml"]):
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *words],
            cwd=root,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "survival_inferencer/1/model.onnx: the bytes served" in done.stdout
    again = subprocess.run(
        [sys.executable, "-m", "dvc", "status", f"{MODEL}/dvc.yaml"],
        cwd=root,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "up to date" in again.stdout


def test_a_retrained_original_is_served_after_add(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(FIXTURES / "retrained.ubj", root / ORIGINAL)
    before = load_pointer(root / f"{SERVED}.dvc").md5
    assert main(["weights", "convert", "survival"]) == 0
    output = capsys.readouterr().out
    assert f"{SERVED}: other bytes than served" in output
    assert "because the original is another file" in output
    assert load_pointer(root / f"{SERVED}.dvc").md5 == before
    assert main(["check", "survival"]) == 1
    assert "SW285" in capsys.readouterr().out
    assert main(["weights", "convert", "survival", "--add"]) == 0
    converted = root / MODEL / "original/converted/model.onnx"
    assert (root / SERVED).read_bytes() == converted.read_bytes()
    assert load_pointer(root / f"{SERVED}.dvc").md5 != before
    assert not differs(load_pointer(root / f"{ORIGINAL}.dvc"), root / ORIGINAL, root)
    assert main(["check", "survival"]) == 0


def test_an_original_with_other_columns_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(FIXTURES / "narrower.ubj", root / ORIGINAL)
    (root / MODEL / "original/conversion.toml").write_text(
        (root / MODEL / "original/conversion.toml").read_text().replace('rows = "rows.csv"\n', "")
    )
    assert main(["weights", "convert", "survival"]) == 1
    error = capsys.readouterr().err
    assert "input input FP32 [3] instead of input input FP32 [4]" in error
    assert not (root / MODEL / "original/converted").exists()


def test_a_model_that_was_not_converted_has_no_original(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(root / MODEL / "original")
    assert main(["weights", "convert", "survival"]) == 1
    assert "its weights were not converted by Slipway" in capsys.readouterr().err
    assert main(["weights", "convert"]) == 0


def test_what_is_lost_is_said(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / ORIGINAL).unlink()
    (root / f"{ORIGINAL}.dvc").unlink()
    assert main(["weights", "convert", "survival"]) == 1
    assert "the original is not here, and no pointer to it" in capsys.readouterr().err
