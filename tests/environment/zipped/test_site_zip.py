"""Packages of pure Python in one zip: which ones, and that they work from it."""

from __future__ import annotations

import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.environment import ExecutionEnvironment, build_environment, lock_requirements
from slipway.environment.modules import importable_modules
from slipway.settings import Settings
from tests.environment.elf_writer import shared_library
from tests.environment.wheelhouse import Wheelhouse

SITE = "lib/python3.12/site-packages"
ZIP = "lib/python3.12/site-packages.zip"
GREETING = {
    "greeting/__init__.py": (
        "from greeting.words import HELLO\n\n\ndef fail():\n    raise ValueError(HELLO)\n"
    ),
    "greeting/words.py": "HELLO = 'hello'\n",
}


@pytest.fixture
def zipping(settings: Settings) -> Settings:
    return replace(settings, zip_packages=True)


@pytest.fixture
def build(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, zipping: Settings
) -> Callable[..., ExecutionEnvironment]:
    """Return a function that builds an environment of the fake numpy and packages."""

    def make(*packages: str, settings: Settings = zipping) -> ExecutionEnvironment:
        wheelhouse.numpy()
        lock = lock_requirements(requirements("numpy", *packages), settings)
        return build_environment(lock, settings)

    return make


def files(environment: ExecutionEnvironment) -> dict[str, bytes]:
    with tarfile.open(environment.archive) as archive:
        read = ((member, archive.extractfile(member)) for member in archive if member.isfile())
        return {member.name: stream.read() for member, stream in read if stream}


def run_inside(environment: ExecutionEnvironment, folder: Path, code: str) -> str:
    with tarfile.open(environment.archive) as archive:
        archive.extractall(folder, filter="data")
    done = subprocess.run(
        ["bash", "-c", 'source bin/activate && exec python3 -c "$0"', code],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_packages_of_pure_python_are_one_zip_and_work_from_it(
    build: Callable[..., ExecutionEnvironment], wheelhouse: Wheelhouse, tmp_path: Path
) -> None:
    wheelhouse.add("greeting", files=GREETING)
    built = build("greeting")
    assert built.zipped == {"greeting": ("greeting",), "numpy": ("numpy",)}
    packed = files(built)
    assert not any(name.startswith(f"{SITE}/greeting") for name in packed)
    with zipfile.ZipFile(io.BytesIO(packed[ZIP])) as archive:
        assert {"greeting/words.py", "greeting/words.pyc"} <= set(archive.namelist())
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    code = """
import importlib.metadata, importlib.resources, inspect, pkgutil, traceback, greeting
print(importlib.metadata.version("greeting"), greeting.__file__.count("site-packages.zip"))
print(importlib.resources.files("greeting").joinpath("words.py").read_text().strip())
print([module.name for module in pkgutil.iter_modules(greeting.__path__)])
print(inspect.getsource(greeting.fail).splitlines()[0])
try:
    greeting.fail()
except ValueError:
    print(traceback.format_exc())
"""
    said = run_inside(built, tmp_path / "unpacked", code)
    assert said.startswith("1.0 1\nHELLO = 'hello'\n['words']\ndef fail():\n")
    assert "    raise ValueError(HELLO)\n" in said  # tracebacks show the source


def test_equal_packages_give_equal_zips(
    build: Callable[..., ExecutionEnvironment],
    wheelhouse: Wheelhouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheelhouse.add("greeting", files=GREETING)
    first = build("greeting")
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "other cache"))
    second = build("greeting")
    assert first.folder != second.folder
    assert first.sha256 == second.sha256


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ({"greeting/names.txt": "x"}, "has data or compiled code: greeting/names.txt"),
        ({"greeting/place.py": "HERE = __file__\n"}, "greeting/place.py uses __file__"),
        (
            {"greeting/fast.cpython-312-x86_64-linux-gnu.so": shared_library("libc.so.6")},
            "has data or compiled code: greeting/fast.cpython-312-x86_64-linux-gnu.so",
        ),
        ({"greeting.pth": "x\n"}, "has greeting.pth"),
        ({"shared/part.py": ""}, "shared is a namespace package"),
        ({"json.py": ""}, "json is a module of Python, too"),
        (
            {"greeting-1.0.dist-info/entry_points.txt": "[plugins]\nx = greeting:fail\n"},
            "is found by entry points",
        ),
        # only trying tells: a module that looks at its loader
        (
            {"greeting/__init__.py": "assert type(__loader__).__name__ == 'SourceFileLoader'\n"},
            "cannot be imported from a zip: AssertionError: ",
        ),
    ],
)
def test_a_package_that_needs_its_files_stays_unpacked(
    extra: dict[str, str | bytes],
    why: str,
    build: Callable[..., ExecutionEnvironment],
    wheelhouse: Wheelhouse,
) -> None:
    wheelhouse.add("greeting", files=GREETING | extra)
    built = build("greeting")
    assert built.unzipped == {"greeting": why}
    assert f"{SITE}/greeting/words.py" in files(built)


def test_a_comment_about_files_keeps_no_package_unpacked(
    build: Callable[..., ExecutionEnvironment], wheelhouse: Wheelhouse
) -> None:
    wheelhouse.add("greeting", files=GREETING | {"greeting/x.py": "# not __file__\n'__file__'\n"})
    assert build("greeting").unzipped == {}


def test_settings_undo_the_zip_for_one_package_or_all(
    build: Callable[..., ExecutionEnvironment], wheelhouse: Wheelhouse, zipping: Settings
) -> None:
    wheelhouse.add("greeting", files=GREETING)
    one = build("greeting", settings=replace(zipping, unzipped=("Greeting",)))
    assert one.unzipped == {"greeting": "named in [environment] unzipped"}
    assert set(one.zipped) == {"numpy"}
    none = build("greeting", settings=replace(zipping, zip_packages=False))
    assert ZIP not in files(none)
    assert (none.zipped, none.unzipped) == ({}, {})


def test_checks_know_the_modules_in_the_zip(
    build: Callable[..., ExecutionEnvironment], wheelhouse: Wheelhouse, zipping: Settings
) -> None:
    wheelhouse.add("greeting", files=GREETING)
    build("greeting")
    lock = zipping.root / "models/model/requirements.lock"
    assert {"greeting", "numpy"} <= (importable_modules(lock, zipping) or set())
