"""A model's environment with a package of the repository: locked, keyed by content, importable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.environment import build_environment, check_lock, lock_requirements
from slipway.environment.lock import find_unhashed
from slipway.environment.modules import importable_modules
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.test_build import content, names
from tests.environment.wheelhouse import Wheelhouse

Write = Callable[..., Path]
SITE = "lib/python3.12/site-packages"


@pytest.fixture
def lock(library: Write, requirements: Write, settings: Settings, wheelhouse: Wheelhouse) -> Path:
    wheelhouse.numpy()
    wheelhouse.add("shapes")
    library(dependencies=("shapes",))
    return lock_requirements(requirements("numpy<2", "-e ../../libs/words"), settings)


def test_a_lock_names_the_path_and_pins_what_the_package_requires(lock: Path) -> None:
    lines = [line for line in lock.read_text().splitlines() if not line.startswith((" ", "#"))]
    assert "words @ file:../../libs/words" in lines
    assert [line.partition("==")[0] for line in lines if "==" in line] == ["numpy", "shapes"]
    assert "/" not in lock.read_text().replace("file:../../libs/words", "")
    assert list(find_unhashed(lock)) == []


def test_locking_again_changes_nothing(lock: Path, settings: Settings) -> None:
    before = lock.read_bytes()
    lock_requirements(lock.with_name("requirements.txt"), settings)
    assert lock.read_bytes() == before


def test_a_change_of_the_code_changes_no_lock(
    lock: Path, library: Write, settings: Settings
) -> None:
    before = lock.read_bytes()
    library(code="WORDS = 3  # and a longer file\n", dependencies=("shapes",))
    lock_requirements(lock.with_name("requirements.txt"), settings)
    assert lock.read_bytes() == before


def test_a_change_of_the_code_needs_no_new_lock_and_gives_another_environment(
    lock: Path, library: Write, settings: Settings
) -> None:
    before = build_environment(lock, settings)
    assert f"{SITE}/words/__init__.py" in names(before)
    library(code="WORDS = 3\n", dependencies=("shapes",))
    after = build_environment(lock, settings)
    assert content(after, f"{SITE}/words/__init__.py") == b"WORDS = 3\n"
    sources = [
        next(package.source for package in built.packages if package.name == "words")
        for built in (before, after)
    ]
    assert all(source.startswith("libs/words@sha256:") for source in sources)
    assert sources[0] != sources[1]


def test_a_change_of_what_it_requires_needs_a_new_lock(
    lock: Path, library: Write, settings: Settings
) -> None:
    library(dependencies=("shapes", "numpy"))
    with pytest.raises(SlipwayError, match="has changed since it was locked"):
        check_lock(lock.with_name("requirements.txt"), lock)


def test_modules_are_known_of_the_environment_with_the_code_as_it_is(
    lock: Path, library: Write, settings: Settings
) -> None:
    build_environment(lock, settings)
    assert "words" in (importable_modules(lock, settings) or ())
    library(code="WORDS = 4\n", dependencies=("shapes",))
    assert importable_modules(lock, settings) is None
