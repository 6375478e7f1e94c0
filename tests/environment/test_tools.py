"""Environments of programs: made once per lock, shared, and only of what the lock names."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slipway.cache import find_entries
from slipway.environment.tools import cached_tools, provide_tools
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from tests.environment.wheelhouse import Wheelhouse

type Lock = Callable[..., Path]


@pytest.fixture
def lock(tmp_path: Path, wheelhouse: Wheelhouse, slipway_cache: Path) -> Lock:
    """Return a function that locks wheels of the given names, with their hashes."""

    def write(*names: str) -> Path:
        wheels = [wheelhouse.add(name, files={f"{name}.py": f"NAME = '{name}'"}) for name in names]
        path = tmp_path / "lock.txt"
        lines = (
            f"{wheel.name.split('-')[0]}==1.0 --hash=sha256:{sha256_of(wheel)}\n"
            for wheel in wheels
        )
        path.write_text("".join(lines))
        return path

    return write


def test_an_environment_has_the_packages_of_its_lock_and_no_others(lock: Lock) -> None:
    tools = provide_tools(lock("saw", "plane"))

    code = "import saw, plane; print(saw.NAME, plane.NAME)"
    assert subprocess.check_output([tools.python, "-I", "-c", code], text=True) == "saw plane\n"
    assert sorted(p.name for p in tools.site_packages.glob("*.dist-info")) == [
        "plane-1.0.dist-info",
        "saw-1.0.dist-info",
    ]
    assert list(tools.site_packages.glob("__pycache__/saw.*.pyc"))
    assert subprocess.run([tools.python, "-c", "import numpy"], stderr=-3).returncode == 1


def test_an_environment_is_made_once_and_shared(lock: Lock) -> None:
    path = lock("saw")
    with ThreadPoolExecutor(4) as pool:
        folders = {tools.folder for tools in pool.map(provide_tools, [path] * 4)}

    (folder,) = folders
    made = folder.stat().st_ino
    assert provide_tools(path).folder.stat().st_ino == made
    assert [(entry.kind, entry.path) for entry in find_entries()] == [("tools", folder)]


def test_another_lock_is_another_environment(lock: Lock) -> None:
    assert provide_tools(lock("saw")).folder != provide_tools(lock("plane")).folder


def test_a_wheel_that_is_not_the_locked_one_is_refused(lock: Lock, wheelhouse: Wheelhouse) -> None:
    path = lock("saw")
    wheelhouse.add("saw", files={"saw.py": "import os"})

    with pytest.raises(SlipwayError, match="saw==1.0 on the index is not the locked file"):
        provide_tools(path)
    assert not cached_tools(path).folder.exists()


def test_a_lock_without_hashes_is_refused(lock: Lock) -> None:
    path = lock("saw")
    path.write_text("saw==1.0\n")

    with pytest.raises(SlipwayError, match="hash"):
        provide_tools(path)


def test_a_package_that_is_nowhere_says_where_it_is_locked(lock: Lock, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text(f"hammer==1.0 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(SlipwayError, match="hammer") as raised:
        provide_tools(path)
    assert raised.value.where == str(path)
