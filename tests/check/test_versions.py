"""Version directories, as Triton 24.10 reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.check import fixture_repositories as repositories

ALL = "version_policy { all { } }\n"
SECOND = "version_policy { specific { versions: 2 } }\n"


def rules_found(tmp_path: Path, files: list[str], policy: str = "") -> list[str]:
    """Return the rules that find something in a model with exactly these files."""
    model = repositories.make("good", tmp_path) / "sound_preprocessing"
    code = (model / "1" / "model.py").read_text()
    (model / "1" / "model.py").unlink()
    (model / "1").rmdir()
    for file in files:
        (model / file).parent.mkdir(parents=True, exist_ok=True)
        (model / file).write_text(code)
    with (model / "config.pbtxt").open("a") as config:
        config.write(policy)
    return [
        finding.rule
        for finding in repositories.find_all(tmp_path)
        # SW127 names hidden files, which are not packed
        if finding.rule.startswith("SW12") and finding.rule != "SW127"
    ]


@pytest.mark.parametrize(
    "files",
    [
        ["0/model.py"],
        ["1/model.py", "1.bak/model.py"],  # it counts as 1, which exists
        ["2/model.py", "1_old/model.py"],  # the latest exists
        ["1/model.py", "-1/model.py"],
        ["1/model.py", "python_env/bin/activate", "configs/a.pbtxt", "warmup/3"],
        ["1/model.py", ".2_old/model.py"],  # hidden: not packed
        ["1/model.py", "2_old/.gitkeep"],  # no file: not packed
    ],
)
def test_directories_that_serve(files: list[str], tmp_path: Path) -> None:
    assert rules_found(tmp_path, files) == []


@pytest.mark.parametrize(
    ("files", "rules"),
    [
        (["01/model.py"], ["SW121"]),
        (["v1/model.py"], ["SW121"]),
        (["-1/model.py"], ["SW121"]),
        (["1.bak/model.py"], ["SW121"]),
        (["1"], ["SW121"]),
        (["1/README.md"], ["SW121"]),
        (["1/__pycache__/model.pyc"], ["SW121"]),
        (["1/model.py", "01/model.py"], ["SW123"]),
        (["1/model.py", "2_old/model.py"], ["SW124"]),
        (["1/model.py", "3d_assets/cube.txt"], ["SW124"]),
        (["1/model.py", "9223372036854775808/model.py"], ["SW124"]),
    ],
)
def test_directories_that_do_not_serve(files: list[str], rules: list[str], tmp_path: Path) -> None:
    assert rules_found(tmp_path, files) == rules


@pytest.mark.parametrize(
    ("files", "policy", "rules"),
    [
        (["1/model.py", "2/model.py"], SECOND, []),
        (["1/model.py"], SECOND, ["SW125"]),
        (["1/model.py", "3/model.py"], ALL, []),
        (["1/model.py", "2_old/model.py"], "version_policy { specific { versions: 1 } }\n", []),
        (["3/model.py", "2_old/model.py"], ALL, ["SW124"]),
        (["1/model.py"], "version_policy { }\n", []),
        (["1/model.py"], "version_policy { latest { } }\n", ["SW125"]),
        (["1/model.py"], "version_policy { specific { } }\n", ["SW125"]),
    ],
)
def test_policies(files: list[str], policy: str, rules: list[str], tmp_path: Path) -> None:
    assert rules_found(tmp_path, files, policy) == rules


@pytest.mark.parametrize("pointer", ["1/model.py.dvc", "1.dvc"])
def test_a_pointer_counts_as_its_target(pointer: str, tmp_path: Path) -> None:
    assert rules_found(tmp_path, [pointer]) == []


def test_a_folder_with_a_pointer_is_not_reported_as_empty(tmp_path: Path) -> None:
    (tmp_path / "models" / "sound" / "sound_preprocessing" / "2").mkdir(parents=True)
    assert rules_found(tmp_path, ["1/model.py", "2.dvc"]) == []
