"""Packages of the repository that models share: whose changes are followed, and what is refused."""

from __future__ import annotations

import pytest
import repository
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import FileContent
from pants.engine.target import Dependencies, DependenciesRequest
from repository import Repository

from slipway_pants import layout


def files(name: str = "words") -> dict[str, str]:
    return {
        f"libs/{name}/BUILD": "shared_package()\n",
        f"libs/{name}/pyproject.toml": "",
        f"libs/{name}/src/{name}/__init__.py": "WORDS = 2\n",
    }


def sharing(name: str, line: str = "-e ../../libs/words") -> dict[str, str]:
    return {**repository.model(name), f"models/{name}/requirements.txt": f"numpy\n{line}\n"}


def test_a_package_is_found_in_every_way_to_write_it() -> None:
    lines = b"""
numpy<2
-e ../../libs/a
--editable ../../libs/b
words @ file:../../libs/c
Words[x] @ file:../../libs/d ; python_version > "3"
../../libs/e[x]  # why
../../../elsewhere
"""
    found = layout.shared("models/x", [FileContent("requirements.txt", lines)])
    assert found == [f"libs/{letter}" for letter in "abcde"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    unowned = {"libs/unowned/pyproject.toml": "", "libs/unowned/unowned.py": ""}
    home = tmp_path_factory.mktemp("home")
    other = sharing("other", "../../libs/unowned")
    lost = sharing("lost", "../../libs/missing")
    return repository.of(home, files(), files("letters"), unowned, sharing("x"), other, lost)


def test_an_environment_depends_on_the_packages_that_its_requirements_name(
    shared: Repository,
) -> None:
    target = shared.target("x", "environment")
    found = shared.engine.request(Addresses, [DependenciesRequest(target[Dependencies])])
    assert set(found) == {Address("libs/words")}


@pytest.mark.parametrize(("model", "package"), [("other", "unowned"), ("lost", "missing")])
def test_a_package_without_a_target_is_refused(
    shared: Repository, model: str, package: str
) -> None:
    problem = shared.built(model).problem
    assert problem is not None
    assert f"models/{model}/requirements.txt: no target owns libs/{package}" in problem


def test_the_files_of_a_package_are_inputs_of_the_environment(shared: Repository) -> None:
    before = shared.built("x").text
    shared.engine.write_files({"libs/words/src/words/__init__.py": "WORDS = 3\n"})
    after = shared.built("x").text
    assert "WORDS = 2" in before
    assert "WORDS = 3" in after and "WORDS = 2" not in after


def test_a_model_is_built_without_a_look_at_the_targets_of_other_models(shared: Repository) -> None:
    shared.engine.write_files({"models/broken/BUILD": "this is no BUILD file\n"})
    assert "WORDS = " in shared.built("x").text
