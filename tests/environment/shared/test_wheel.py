"""Wheels of the repository's packages: reproducible, pure, and built by real backends."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.environment.shared.package import read_shared_package
from slipway.environment.shared.sources import digest_of_sources, source_files
from slipway.environment.shared.wheel import build_shared_wheel
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse

Write = Callable[..., Path]


def build(folder: Path, settings: Settings) -> Path:
    return build_shared_wheel(read_shared_package(folder), settings)


def test_equal_sources_give_equal_wheels(
    library: Write,
    settings: Settings,
    wheelhouse: Wheelhouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = library()
    first = build(folder, settings).read_bytes()
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "another"))
    os.utime(folder / "src/words/__init__.py", (1, 1))
    mask = os.umask(0o077)
    try:
        assert build(folder, settings).read_bytes() == first
    finally:
        os.umask(mask)


def test_a_change_of_the_code_gives_another_wheel(
    library: Write, settings: Settings, wheelhouse: Wheelhouse
) -> None:
    first = build(library(), settings)
    second = build(library(code="WORDS = 3\n"), settings)
    assert first != second
    with zipfile.ZipFile(second) as wheel:
        assert wheel.read("words/__init__.py") == b"WORDS = 3\n"


def test_what_builds_and_tests_leave_behind_changes_nothing(
    library: Write, settings: Settings
) -> None:
    folder = library()
    digest = digest_of_sources(folder)
    for name in (
        *("build/lib/words.py", "src/words.egg-info/PKG-INFO", ".venv/x.py", "BUILD"),
        *("src/words/__pycache__/x.pyc", "tests/test_words.py", "src/words/BUILD"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("left behind")
    assert digest_of_sources(folder) == digest


def test_a_file_that_git_ignores_is_not_built(library: Write, settings: Settings) -> None:
    folder = library()
    (folder / "src/words/secret.py").write_text("KEY = 1\n")
    (settings.root / ".gitignore").write_text("secret.py\n")
    subprocess.run(["git", "init", "-q", str(settings.root)], check=True)
    assert set(source_files(folder)) == {"backend.py", "pyproject.toml", "src/words/__init__.py"}


def test_a_link_out_of_the_package_is_refused(library: Write, settings: Settings) -> None:
    folder = library()
    (folder / "src/words/all.toml").symlink_to(settings.root / "slipway.toml")
    with pytest.raises(SlipwayError, match="leads out of the package"):
        source_files(folder)


BACKEND = """
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "{name}-0.1.0-{tag}.whl"
    with zipfile.ZipFile(f"{{folder}}/{{name}}", "w") as wheel:
        wheel.writestr("words.cpython-312-x86_64-linux-gnu.so", "")
    return name
"""


@pytest.mark.parametrize(
    ("name", "tag", "what"),
    [
        ("words", "cp312-cp312-linux_x86_64", "not of pure Python"),
        ("letters", "py3-none-any", "builds letters, not words"),
    ],
)
def test_a_wheel_that_is_not_pure_or_another_package_is_refused(
    library: Write, settings: Settings, wheelhouse: Wheelhouse, name: str, tag: str, what: str
) -> None:
    folder = library()
    (folder / "backend.py").write_text(BACKEND.format(name=name, tag=tag))
    with pytest.raises(SlipwayError, match=what):
        build(folder, settings)


@pytest.mark.parametrize(
    ("requires", "what"),
    [
        ("scikit-build-core", "scikit-build-core, and it is not pinned"),
        ("setuptools<60", "setuptools<60, and pinned is"),
        ("uv_build<0.2", "uv_build<0.2, and pinned is"),
    ],
)
def test_a_backend_that_is_not_pinned_is_named(
    library: Write, settings: Settings, requires: str, what: str
) -> None:
    folder = library()
    file = folder / "pyproject.toml"
    file.write_text(file.read_text().replace("requires = []", f'requires = ["{requires}"]'))
    with pytest.raises(SlipwayError, match=what) as caught:
        build(folder, settings)
    assert "hatchling" in str(caught.value.fix)


def test_a_failing_build_names_the_file_and_not_a_copy(
    library: Write, settings: Settings, wheelhouse: Wheelhouse
) -> None:
    folder = library()
    (folder / "backend.py").write_text("def build_wheel(folder):\n    raise OSError('no room')\n")
    with pytest.raises(SlipwayError, match="words cannot be built") as caught:
        build(folder, settings)
    assert str(caught.value.where) == f"{folder}/pyproject.toml"
