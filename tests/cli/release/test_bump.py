"""``slipway bump``: one model's version, several models' table, the merge request's check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.cli import main
from tests import fixture_models


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slipway_cache: Path) -> Path:
    """A repository with two models, which are built for real; production has the first."""
    root = tmp_path / "repository"
    for name in ("adder", "summer"):
        folder = root / "models" / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        fixture_models.copy("adder", tmp_path / name).rename(folder)
        (folder / "adder").rename(folder / name)
        config = folder / name / "config.pbtxt"
        config.write_text(config.read_text().replace('"adder"', f'"{name}"'))
        (folder / "model_version.txt").write_text("1.0.0\n")
    (root / "slipway.toml").write_text("[release.production]\nclean_commit = false\n")
    monkeypatch.chdir(root)
    monkeypatch.delenv("SLIPWAY_PRODUCTION_STORE", raising=False)
    assert main(["publish", "models/adder", "--stage", "production"]) == 0
    return root


def batch(root: Path, size: int, name: str = "adder") -> None:
    config = root / "models" / name / name / "config.pbtxt"
    config.write_text(config.read_text().replace("max_batch_size: 64", f"max_batch_size: {size}"))


def version(root: Path, name: str = "adder") -> str:
    return (root / "models" / name / "model_version.txt").read_text()


def test_what_did_not_change_is_left_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["bump", "adder"]) == 0
    assert capsys.readouterr().out == "adder 1.0.0: production has these bytes\n"
    assert version(root) == "1.0.0\n"


def test_the_next_version_is_written_with_the_reasons(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch(root, 32)
    capsys.readouterr()
    assert main(["bump", "adder"]) == 0
    assert capsys.readouterr().out == (
        "adder 1.0.0 → 2.0.0 (major)\n  major: max_batch_size 64 → 32\n"
    )
    assert version(root) == "2.0.0\n"
    assert main(["bump", "--check", "models/adder"]) == 0
    assert capsys.readouterr().out == "adder 2.0.0: can be released\n"


def test_a_check_writes_nothing_and_says_what_to_write(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch(root, 128)
    capsys.readouterr()
    assert main(["bump", "--check", "adder"]) == 1
    output = capsys.readouterr()
    assert version(root) == "1.0.0\n"
    assert output.out == ""
    assert "production has 1.0.0 already, with other bytes" in output.err
    assert "minor: max_batch_size 64 → 128" in output.err
    assert "fix: write 1.1.0 into it: slipway bump adder" in output.err


def test_several_models_become_one_table(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    batch(root, 128)
    capsys.readouterr()
    assert main(["bump"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert "│ adder │ 1.0.0 │ 1.0.0 │ 1.1.0 │ minor: max_batch_size 64 → 128 │".split() in rows
    assert "│ summer │ — │ 1.0.0 │ — │ never released in production │".split() in rows
    assert (version(root), version(root, "summer")) == ("1.1.0\n", "1.0.0\n")


def test_machines_read_a_line_for_each_model(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch(root, 32)
    capsys.readouterr()
    assert main(["bump", "--check", "--json", "adder", "summer"]) == 1
    adder, summer = map(json.loads, capsys.readouterr().out.splitlines())
    assert adder == {
        "name": "adder",
        "version": "1.0.0",
        "state": "taken",
        "released": "1.0.0",
        "part": "major",
        "proposed": "2.0.0",
        "reasons": [{"part": "major", "what": "max_batch_size 64 → 32"}],
        "stopped": True,
        "written": False,
    }
    assert (summer["state"], summer["proposed"]) == ("new", None)


def test_an_artifact_at_hand_is_taken_instead_of_a_build(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch(root, 32)
    assert main(["build", "models/adder", "--output", "elsewhere"]) == 0

    def never(*_: Any) -> None:
        raise AssertionError("it was built again")

    monkeypatch.setattr("slipway.build.build", never)
    command = ["bump", "adder", "--check", "--artifact", "elsewhere/adder_1.0.0.tar.gz"]
    assert main(command) == 1
    assert main([*command[:2], *command[3:]]) == 0
    assert version(root) == "2.0.0\n"


def test_a_part_that_is_asked_for_is_raised(root: Path) -> None:
    assert main(["bump", "adder", "--part", "minor"]) == 0
    assert version(root) == "1.1.0\n"


def test_a_misspelled_model_is_refused_with_the_nearest_name(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bump", "ader"]) == 1
    printed = capsys.readouterr().err
    assert "no model 'ader' in models/" in printed and "did you mean adder?" in printed
