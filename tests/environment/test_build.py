from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.environment import (
    ExecutionEnvironment,
    build_environment,
    load_environment,
    lock_requirements,
)
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse

MINOR = "{}.{}".format(*sys.version_info)
SITE = f"lib/python{MINOR}/site-packages"


def unpacked(environment: ExecutionEnvironment, folder: Path) -> Path:
    with tarfile.open(environment.archive) as archive:
        archive.extractall(folder, filter="data")
    return folder


def names(environment: ExecutionEnvironment) -> set[str]:
    with tarfile.open(environment.archive) as archive:
        return {member.name for member in archive if member.isfile()}


def content(environment: ExecutionEnvironment, name: str) -> bytes:
    with tarfile.open(environment.archive) as archive:
        file = archive.extractfile(name)
        assert file
        return file.read()


def run_inside(folder: Path, code: str) -> str:
    """Run ``code`` with the Python that Triton's stub finds: by activating the environment."""
    done = subprocess.run(
        ["bash", "-c", 'source bin/activate && exec python3 -c "$0"', code],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def locked(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> Callable[..., Path]:
    """Return a function that locks the fake numpy and further packages."""

    def make(*packages: str, model: str = "model") -> Path:
        wheelhouse.numpy()
        return lock_requirements(requirements("numpy", *packages, model=model), settings)

    return make


def test_an_environment_runs_where_it_is_unpacked(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings, tmp_path: Path
) -> None:
    wheelhouse.add("shapes", files={"shapes/__init__.py": "SIDES = 4\n"})
    built = build_environment(locked("shapes"), settings)
    folder = unpacked(built, tmp_path / "elsewhere")
    code = """
import asyncio, bz2, concurrent.futures, csv, ctypes, dataclasses, decimal, email.mime.text
import hashlib, http.client, importlib.metadata, json, logging.handlers, lzma, multiprocessing
import numpy, shapes, sqlite3, ssl, sys, sysconfig, unittest, urllib.request, zoneinfo
import xml.etree.ElementTree
print(sys.prefix, numpy.__version__, shapes.SIDES, importlib.metadata.version("shapes"))
"""
    output = run_inside(folder, code).split()
    assert output == [str(folder.resolve()), "1.26.4", "4", "1.0"]


def test_the_standard_library_is_one_zip_of_unchecked_bytecode(
    locked: Callable[..., Path], settings: Settings
) -> None:
    built = build_environment(locked(), settings)
    zipped = content(built, f"lib/python{MINOR.replace('.', '')}.zip")
    with zipfile.ZipFile(io.BytesIO(zipped)) as library:
        modules = library.namelist()
        header = library.read("json/decoder.pyc")[:8]
    assert {"os.pyc", "json/__init__.pyc", "multiprocessing/spawn.pyc"} <= set(modules)
    assert all(name.endswith(".pyc") for name in modules)
    assert header == importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
    outside = [n for n in names(built) if n.endswith(".py") and SITE not in n]
    assert outside == [f"lib/python{MINOR}/os.py"]


def test_packages_keep_their_sources_with_unchecked_bytecode(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.add("shapes")
    built = build_environment(locked("shapes"), settings)
    assert f"{SITE}/shapes/__init__.py" in names(built)
    code = content(
        built, f"{SITE}/shapes/__pycache__/__init__.cpython-{MINOR.replace('.', '')}.pyc"
    )
    assert code[4:8] == (1).to_bytes(4, "little")


def test_two_builds_in_two_caches_under_another_umask_are_equal(
    locked: Callable[..., Path], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = locked()
    first = build_environment(path, settings)
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "another" / "cache"))
    mask = os.umask(0o077)
    try:
        second = build_environment(path, settings)
    finally:
        os.umask(mask)
    assert first.folder != second.folder
    for name in ("environment.tar.gz", "environment.tar.gz.index.json", "environment.json"):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()


def test_models_with_equal_locks_share_one_build(
    locked: Callable[..., Path], settings: Settings
) -> None:
    assert build_environment(locked(model="one"), settings) == build_environment(
        locked(model="two"), settings
    )


def test_nothing_in_an_environment_names_this_machine(
    locked: Callable[..., Path], settings: Settings, tmp_path: Path
) -> None:
    built = build_environment(locked(), settings)
    folder = unpacked(built, tmp_path / "elsewhere")
    cache = str(built.folder.parent.parent).encode()
    libraries = {f"lib/libpython{MINOR}.so.1.0"}  # holds the prefix that it was built for
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in libraries:
            data = path.read_bytes()
            assert cache not in data, name
            if path.suffix in (".pyc", ".py", ".json", ".zip"):
                assert sys.base_prefix.encode() not in data, name


def test_an_environment_holds_no_links_tests_headers_installers_or_scripts(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.add(
        "shapes",
        files={
            "shapes/__init__.py": "",
            "shapes/__init__.pyi": "",
            "shapes/tests/__init__.py": "",
            "shapes/tests/test_shapes.py": "",
            "shapes/include/shapes.h": "",
            "shapes/libshapes.a": "",
        },
        scripts={"draw": "shapes:main"},
    )
    built = build_environment(locked("shapes"), settings)
    with tarfile.open(built.archive) as archive:
        kinds = {member.type for member in archive}
    assert kinds <= {tarfile.REGTYPE, tarfile.DIRTYPE}
    files = names(built)
    assert {n for n in files if n.startswith("bin/")} == {
        "bin/activate",
        "bin/deactivate",
        "bin/python",
        "bin/python3",
        f"bin/python{MINOR}",
    }
    assert {n for n in files if "/shapes" in n and "__pycache__" not in n} == {
        f"{SITE}/shapes/__init__.py",
        f"{SITE}/shapes-1.0.dist-info/METADATA",
        f"{SITE}/shapes-1.0.dist-info/WHEEL",
        f"{SITE}/shapes-1.0.dist-info/entry_points.txt",
    }
    assert not [n for n in files if n.endswith((".h", ".a", "/RECORD", "/INSTALLER"))]
    assert not [n for n in files if "ensurepip" in n or "/pip" in n or "conda-meta" in n]


def test_tests_that_a_package_imports_at_run_time_are_kept(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.add(
        "shapes",
        files={
            "shapes/__init__.py": "from shapes.core.tests._samples import SAMPLE\n",
            "shapes/core/__init__.py": "",
            "shapes/core/tests/__init__.py": "",
            "shapes/core/tests/_samples.py": "SAMPLE = 1\n",
            "shapes/edges/__init__.py": "def check():\n    from .tests import run\n",
            "shapes/edges/tests/__init__.py": "",
            "shapes/tests/__init__.py": "",
        },
    )
    files = names(build_environment(locked("shapes"), settings))
    assert f"{SITE}/shapes/core/tests/_samples.py" in files
    assert f"{SITE}/shapes/edges/tests/__init__.py" in files
    assert f"{SITE}/shapes/tests/__init__.py" not in files


def test_stubs_that_a_package_reads_at_run_time_are_kept(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.add(
        "shapes",
        files={
            "shapes/__init__.py": "import lazy_loader\nlazy_loader.attach_stub(__name__, __file__)",
            "shapes/__init__.pyi": "",
            "shapes/core.pyi": "",
        },
    )
    assert f"{SITE}/shapes/__init__.pyi" in names(build_environment(locked("shapes"), settings))


def test_a_source_that_is_not_valid_python_is_not_compiled(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.add("shapes", files={"shapes/__init__.py": "", "shapes/template.py": "def {{x}}:"})
    files = names(build_environment(locked("shapes"), settings))
    assert f"{SITE}/shapes/template.py" in files
    assert not [n for n in files if "template.cpython" in n]


def test_a_built_environment_lists_its_packages_and_can_be_loaded(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.add("shapes", "2.1")
    built = build_environment(locked("shapes"), settings)
    assert load_environment(built.folder) == built
    assert built.python == sys.version.split()[0]
    assert built.interpreter == f"local CPython {built.python}"
    assert built.size == built.archive.stat().st_size and built.files == len(names(built))
    packages = {package.name: (package.version, package.source) for package in built.packages}
    assert packages == {
        "python": (built.python, built.interpreter),
        "numpy": ("1.26.4", "pip"),
        "shapes": ("2.1", "pip"),
    }
    assert "/" not in json.dumps([package.source for package in built.packages])


def test_a_folder_without_an_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="environment.tar.gz is missing"):
        load_environment(tmp_path)


def test_a_python_that_triton_would_ignore_is_refused(
    locked: Callable[..., Path], settings: Settings
) -> None:
    path = locked()
    with pytest.raises(SlipwayError, match="serves Python models with 3.12, not with 3.11"):
        build_environment(path, replace(settings, python="3.11"))
    with pytest.raises(
        SlipwayError, match="Triton 24.05 serves Python models with 3.10"
    ) as refused:
        build_environment(path, replace(settings, triton_release="24.05"))
    assert '"3.10"' in (refused.value.fix or "")


def test_a_python_that_does_not_run_slipway_is_refused(
    locked: Callable[..., Path], settings: Settings
) -> None:
    with pytest.raises(SlipwayError, match="Slipway runs on 3.12"):
        build_environment(locked(), replace(settings, triton_release="24.05", python="3.10"))


def test_an_untested_numpy_2_in_an_older_lock_is_refused(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy("2.99.0")
    path = lock_requirements(requirements("numpy"), replace(settings, test_release="25.04"))
    with pytest.raises(SlipwayError, match=r"numpy 2\.99\.0"):
        build_environment(path, settings)


def test_requirements_that_were_not_locked_are_refused(
    locked: Callable[..., Path], requirements: Callable[..., Path], settings: Settings
) -> None:
    path = locked()
    requirements("numpy", "shapes")
    with pytest.raises(SlipwayError, match="has changed since it was locked"):
        build_environment(path, settings)


def test_a_wheel_that_is_not_the_locked_one_is_refused_by_name(
    locked: Callable[..., Path],
    wheelhouse: Wheelhouse,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheelhouse.add("shapes", files={"shapes/__init__.py": "SIDES = 3\n"})
    path = locked("shapes")
    wheelhouse.add("shapes", files={"shapes/__init__.py": "SIDES = 5\n"})
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "colleague"))
    with pytest.raises(
        SlipwayError, match="shapes==1.0 on the index is not the locked file"
    ) as refused:
        build_environment(path, settings)
    assert refused.value.where == str(path)


def test_a_package_that_overwrites_anothers_file_is_refused_with_both_names(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.add("circles", files={"drawing/core.py": "KIND = 'circle'\n"})
    wheelhouse.add("squares", files={"drawing/core.py": "KIND = 'square'\n"})
    with pytest.raises(SlipwayError) as refused:
        build_environment(locked("circles", "squares"), settings)
    assert f"circles and squares both contain {SITE}/drawing/core.py" in refused.value.what


def test_packages_that_share_an_equal_file_do_not_conflict(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    for name in ("circles", "squares"):
        wheelhouse.add(name, files={"drawing/__init__.py": "", f"drawing/{name}.py": ""})
    assert f"{SITE}/drawing/squares.py" in names(
        build_environment(locked("circles", "squares"), settings)
    )


@pytest.mark.parametrize(
    "file", [f"lib/python{MINOR}/json/decoder.py", "bin/activate", "lib/python312.zip"]
)
def test_a_package_that_overwrites_the_interpreter_is_refused_by_name(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings, file: str
) -> None:
    wheelhouse.add("evil", files={f"evil-1.0.data/data/{file}": "1/0\n"})
    wheelhouse.add("innocent", requires=("evil",))
    with pytest.raises(SlipwayError) as refused:
        build_environment(locked("innocent"), settings)
    assert refused.value.what == f"evil 1.0 overwrites {file}, a file of the interpreter"
    assert "remove evil, and innocent, which requires it" in str(refused.value.fix)


def test_a_refused_build_leaves_nothing(
    locked: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings, slipway_cache: Path
) -> None:
    wheelhouse.add("circles", files={"drawing/core.py": "1\n"})
    wheelhouse.add("squares", files={"drawing/core.py": "2\n"})
    with pytest.raises(SlipwayError):
        build_environment(locked("circles", "squares"), settings)
    assert [p.suffix for p in (slipway_cache / "environments").iterdir()] == [".guard"]


BUILD = """
import sys
from pathlib import Path
from slipway.environment import build_environment
from slipway.settings import Settings
settings = Settings(root=Path(sys.argv[2]), zip_packages=False)
print(build_environment(Path(sys.argv[1]), settings).sha256)
"""


def start_build(path: Path, settings: Settings) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, path, settings.root],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )


def test_parallel_builds_create_one_environment(
    locked: Callable[..., Path], settings: Settings, slipway_cache: Path
) -> None:
    path = locked()
    builders = [start_build(path, settings) for _ in range(3)]
    output = {process.communicate()[0] for process in builders}
    assert all(process.returncode == 0 for process in builders)
    assert output == {f"{build_environment(path, settings).sha256}\n"}


def test_a_killed_build_leaves_nothing_and_the_next_succeeds(
    locked: Callable[..., Path], settings: Settings, slipway_cache: Path
) -> None:
    path = locked()
    victim = start_build(path, settings)
    folder = slipway_cache / "environments"
    deadline = time.monotonic() + 60
    while not list(folder.glob(".aside-*/*/.work-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate()
    assert not [p for p in folder.iterdir() if not p.name.startswith(".") and p.is_dir()]
    built = build_environment(path, settings)
    assert load_environment(built.folder) == built
    assert not list(folder.glob(".aside-*"))
