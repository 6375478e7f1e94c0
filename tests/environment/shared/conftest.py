"""A repository with a package that its models share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.settings import Settings
from tests.environment.conftest import requirements, session_cache, settings, wheelhouse

__all__ = ["requirements", "session_cache", "settings", "wheelhouse"]

PYPROJECT = """
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.12"
dependencies = {dependencies}

[build-system]
requires = ["uv_build"]
build-backend = "uv_build"
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
        return folder

    return write
