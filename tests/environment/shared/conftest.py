"""A repository with a package that its models share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.settings import Settings
from tests.environment.conftest import requirements, session_cache, settings, wheelhouse

__all__ = ["requirements", "session_cache", "settings", "wheelhouse"]

# a backend of the package's own needs no index
PYPROJECT = """
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.12"
dependencies = {dependencies}

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import pathlib, tomllib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
    stem = project["name"] + "-" + project["version"]
    requires = "".join(f"Requires-Dist: {line}\\n" for line in project["dependencies"])
    files = {
        str(path.relative_to("src")): path.read_text() for path in pathlib.Path("src").rglob("*.py")
    }
    info = stem + ".dist-info/"
    metadata = f"Metadata-Version: 2.1\\nName: {project['name']}\\n"
    files[info + "METADATA"] = metadata + f"Version: {project['version']}\\n{requires}"
    files[info + "WHEEL"] = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[info + "RECORD"] = "".join(f"{name},,\\n" for name in [*files, info + "RECORD"])
    with zipfile.ZipFile(f"{folder}/{stem}-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return f"{stem}-py3-none-any.whl"
"""


@pytest.fixture
def library(settings: Settings) -> Callable[..., Path]:
    """Return a function that writes ``libs/<name>`` and returns its folder."""

    def write(
        name: str = "words", code: str = "WORDS = 2\n", dependencies: tuple[str, ...] = ("numpy",)
    ) -> Path:
        folder = settings.root / "libs" / name
        package = folder / "src" / name
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(code)
        text = PYPROJECT.format(name=name, dependencies=list(dependencies))
        (folder / "pyproject.toml").write_text(text)
        (folder / "backend.py").write_text(BACKEND)
        return folder

    return write
