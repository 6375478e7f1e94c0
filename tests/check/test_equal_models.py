"""A model whose code and config are another's, but for the name, is judged as if it were alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check import Finding
from slipway.check.inference import behaviour
from tests.check import fixture_repositories as repositories
from tests.check.inference.interpreted import behaviour_of, execute, python_model

WITH_CODE = [name for name in repositories.names() if name.startswith(("SW5", "SW9"))]
PROBLEM = "for request in requests:\n    request.nope()\nreturn [None]"
READS_THE_NAME = """\
def initialize(self, args):
    config = json.loads(args["model_config"])
    self.known = config["name"] == "first"
"""
BY_NAME = "return [pb_utils.InferenceResponse([]) for _ in requests] if self.known else None"


def rename(folder: Path, name: str) -> Path:
    """Give the models of a folder another name, and the folder itself."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.suffix in (".pbtxt", ".txt") and path.is_file():
            path.write_bytes(path.read_bytes().replace(b"sound_", f"{name}_".encode()))
        if path.name.startswith("sound_"):
            path.rename(path.with_name(path.name.replace("sound", name, 1)))
    return folder.rename(folder.with_name(name))


def check_alone(folder: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """Return the findings of a check to which no other model was known."""
    with monkeypatch.context() as patch:
        patch.setattr(behaviour, "_kept", {})
        return repositories.find_in(folder, root)


@pytest.mark.parametrize("name", WITH_CODE)
def test_a_renamed_copy_has_the_findings_that_it_has_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behaviour, "_kept", {})
    repositories.make(name, tmp_path / "a")
    first = repositories.find_in(tmp_path / "a/models/sound", tmp_path / "a")
    folder = rename(repositories.make(name, tmp_path / "b"), "copied")
    second = repositories.find_in(folder, tmp_path / "b")
    assert len(second) >= len(first) > 0
    assert second == check_alone(folder, tmp_path / "b", monkeypatch)


def test_copies_share_one_interpretation_and_keep_their_own_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behaviour, "_kept", {})
    models = [python_model(execute(PROBLEM), tmp_path / name) for name in ("first", "second")]
    models[1].message.name = "second"
    for model in models:
        (problem,) = behaviour.interpret(model).problems
        assert problem.code in model.sources
    assert len(behaviour._kept) == 1


def test_a_model_that_reads_its_own_name_is_interpreted_under_each_name(tmp_path: Path) -> None:
    code = execute(BY_NAME, more=READS_THE_NAME)
    found = []
    for name in ("first", "second"):
        model = python_model(code, tmp_path / name)
        model.message.name = name
        found.append([ending.value for ending in behaviour.interpret(model).endings])
    assert found[0] != found[1]


def test_an_import_from_around_the_directory_depends_on_where_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behaviour, "_kept", {})
    code = f"from ...first import helper\n{execute(PROBLEM)}"
    for name in ("first", "second"):
        behaviour_of(code, tmp_path / name)
    assert len(behaviour._kept) == 2


def test_only_so_many_interpretations_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behaviour, "_kept", {})
    monkeypatch.setattr(behaviour, "KEPT", 3)
    for number in range(5):
        behaviour_of(execute(f"return [{number}]"), tmp_path / str(number))
    assert len(behaviour._kept) == 3
