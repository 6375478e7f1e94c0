"""The library's modules import downward only, without a circle (pyproject.toml: import-linter)."""

from __future__ import annotations

from pathlib import Path

import pytest
from importlinter import cli

ROOT = Path(__file__).parents[1]


def test_modules_import_downward_only_and_in_no_circle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.lint_imports(no_cache=True) == 0, capsys.readouterr().out


def test_an_import_that_goes_upward_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(tmp_path, {"low": "from house.high import roof\n", "high": "roof = 1\n"})
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert cli.lint_imports(no_cache=True) != 0
    assert "house.low -> house.high (l.1)" in capsys.readouterr().out


def write_package(folder: Path, modules: dict[str, str]) -> None:
    """Write the package ``house`` with these modules, and the contract that ``high`` is above
    ``low``."""
    package = folder / "house"
    package.mkdir()
    for name, source in {"__init__": "", **modules}.items():
        (package / f"{name}.py").write_text(source)
    (folder / "pyproject.toml").write_text(
        '[tool.importlinter]\nroot_packages = ["house"]\n'
        '[[tool.importlinter.contracts]]\nname = "downward"\ntype = "layers"\n'
        'containers = ["house"]\nlayers = ["high", "low"]\n'
    )
