"""What `triton_model()` makes of a BUILD file."""

from __future__ import annotations

import pytest
import repository as made
from pants.backend.python.target_types import PythonTestsBatchCompatibilityTagField
from pants.engine.addresses import Addresses
from pants.engine.target import Dependencies, DependenciesRequest
from repository import Repository, model


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return made.of(tmp_path_factory.mktemp("home"), model("x"), model("y"))


@pytest.mark.parametrize("part", ["artifact", "weights", "environment", "code", "cases"])
def test_a_model_without_arguments_has_every_part(repository: Repository, part: str) -> None:
    assert repository.target("x", part).alias == f"triton_{part}"


def test_python_tests_below_a_model_share_its_server_and_no_other_model_s(
    repository: Repository,
) -> None:
    tags = [
        repository.test(name)[PythonTestsBatchCompatibilityTagField].value for name in ("x", "y")
    ]
    assert tags == ["models/x", "models/y"]


def test_a_model_s_test_depends_on_its_artifact_and_cases(repository: Repository) -> None:
    request = DependenciesRequest(repository.test("x")[Dependencies])
    found = repository.engine.request(Addresses, [request])
    assert sorted(address.spec for address in found) == ["models/x:artifact", "models/x:cases"]


def test_an_artifact_s_weights_and_environment_are_its_dependencies_to_changed_since(
    repository: Repository,
) -> None:
    request = DependenciesRequest(
        repository.target("x", "artifact")[Dependencies],
        include_special_cased_deps=True,
    )
    found = repository.engine.request(Addresses, [request])
    assert sorted(address.spec for address in found) == ["models/x:environment", "models/x:weights"]
