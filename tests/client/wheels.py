"""Wheels built from the working tree, and environments of any Python to install them in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uv

import slipway

LIBRARY = Path(slipway.__file__).parent
CLIENT = LIBRARY.parent / "slipway-client"
ROOT = LIBRARY.parents[1]
# how uv reports an index that cannot be reached
UNREACHABLE = ("error sending request", "dns error", "Failed to fetch", "Could not connect")
BUILT = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")


def build_client(folder: Path) -> Path:
    """Return the wheel of slipway-client, built below ``folder``."""
    _copy_library(folder)
    return _build(folder / "build-support" / CLIENT.name, folder)


def build_library(folder: Path) -> Path:
    """Return the wheel of slipway itself, built below ``folder``."""
    _copy_library(folder)
    for name in ("LICENSE", "README.md", "pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, folder)
    return _build(folder, folder)


def find_python(minor: str) -> Path:
    """Return a Python of this minor version on this machine; skip the test if there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    managed = Path.home() / ".local" / "share" / "uv" / "python"
    candidates = [*pyenv.glob(f"{minor}.*/bin/python{minor}")]
    candidates += managed.glob(f"cpython-{minor}*/bin/python{minor}")
    candidates += [Path(folder) / f"python{minor}" for folder in os.get_exec_path()]
    for candidate in candidates:
        if candidate.is_file() and "shims" not in candidate.parts:
            return candidate
    pytest.skip(f"no Python {minor} on this machine")


def create_environment(folder: Path, python: Path, *packages: str) -> Path:
    """Return the Python of a new environment with ``packages``."""
    run_uv("venv", "--quiet", "--python", str(python), str(folder))
    program = folder / "bin" / "python"
    run_uv("pip", "install", "--quiet", "--python", str(program), *packages)
    return program


def run_uv(*arguments: str) -> None:
    """Run uv; skip the test where no package index can be reached."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    done = subprocess.run(
        [uv.find_uv_bin(), *arguments], capture_output=True, text=True, env=environment
    )
    if done.returncode and any(text in done.stderr for text in UNREACHABLE):
        pytest.skip(f"no package index can be reached: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr


def _copy_library(folder: Path) -> None:
    for source in (LIBRARY, CLIENT):
        shutil.copytree(source, folder / "build-support" / source.name, ignore=BUILT)


def _build(project: Path, folder: Path) -> Path:
    run_uv(
        "build",
        "--quiet",
        "--python",
        sys.executable,
        "--wheel",
        "--out-dir",
        str(folder / "dist"),
        str(project),
    )
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel
