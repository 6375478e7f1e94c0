"""`tailor` writes the BUILD files of models that were made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import repository as made
from pants.core.goals.tailor import TailorGoal
from repository import Repository, model

OPTIONS = (
    # of the repository's pants.toml, and what else lies in this one
    "--tailor-ignore-paths=['models/*/*/**', 'lib/**', 'bootstrap/**', 'BUILD']",
    "--no-python-tailor-requirements-targets",
)


def by_hand(name: str, *left_out: str, build: str | None = None) -> Mapping[str, str]:
    """A model with this BUILD file, or none, and without what is `left_out`."""
    files = {
        path: text
        for path, text in model(name).items()
        if path not in {f"models/{name}/{other}" for other in ("BUILD", *left_out)}
    }
    return files if build is None else {**files, f"models/{name}/BUILD": build}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = made.of(
        tmp_path_factory.mktemp("home"),
        by_hand("whole"),
        by_hand("untested", "tests/test_it.py"),
        by_hand("unversioned", "model_version.txt", "tests/test_it.py"),
        by_hand("tested_later", build="triton_model()\n"),
        by_hand("done", build="triton_model(artifact={})\n\npython_tests()\n"),
        {"libs/words/pyproject.toml": "", "libs/words/src/words/words.py": "WORDS = 2\n"},
    )
    assert repository.goal(TailorGoal, "::", options=OPTIONS).exit_code == 0
    return repository


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("whole", "triton_model()\n\npython_tests()\n"),
        ("untested", "triton_model()\n"),
        ("unversioned", "triton_model()\n"),
        ("tested_later", "triton_model()\n\npython_tests()\n"),
        ("done", "triton_model(artifact={})\n\npython_tests()\n"),
    ],
)
def test_a_model_gets_what_its_build_file_lacks(
    repository: Repository, name: str, expected: str
) -> None:
    assert Path(repository.engine.build_root, "models", name, "BUILD").read_text() == expected


def test_no_other_build_file_is_written(repository: Repository) -> None:
    root = Path(repository.engine.build_root)
    names = ["done", "tested_later", "untested", "unversioned", "whole"]
    written = sorted(str(path.relative_to(root)) for path in root.rglob("BUILD"))
    assert written == [
        "libs/words/BUILD",
        "libs/words/src/words/BUILD",
        *(f"models/{name}/BUILD" for name in names),
    ]


def test_the_files_written_are_complete(repository: Repository) -> None:
    result = repository.goal(TailorGoal, "--check", "::", options=OPTIONS)
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_package_that_models_may_share_gets_its_target(repository: Repository) -> None:
    file = Path(repository.engine.build_root, "libs/words/BUILD")
    assert file.read_text() == "shared_package()\n"
