"""What a trace of tests leaves out of an environment, and how its list is followed."""

from __future__ import annotations

import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.environment import ExecutionEnvironment, build_environment, lock_requirements
from slipway.environment.libraries.inventory import load_inventory
from slipway.environment.modules import cached_environment
from slipway.environment.pruning.choose import choose
from slipway.environment.pruning.listing import (
    Pruned,
    collapse,
    load_pruned,
    lock_digest,
    read_pruned,
)
from slipway.environment.pruning.traced import Trace, read_trace, with_trace
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.elf_writer import shared_library
from tests.environment.wheelhouse import Wheelhouse

SITE = "lib/python3.12/site-packages"
TAG = "cpython-312-x86_64-linux-gnu"
PACKAGE: dict[str, str | bytes] = {
    "tool/__init__.py": "def used():\n    import tool.inner\n    return tool.inner.VALUE\n",
    "tool/inner.py": "VALUE = 3\n",
    "tool/by_name.py": "",
    "tool/table.py": "NAMES = ('tool.by_name', 'other')\n",
    "tool/never.py": "",
    f"tool/_fast.{TAG}.so": shared_library("libshared.so", "libfast.so", run_path="$ORIGIN/libs"),
    f"tool/_slow.{TAG}.so": shared_library("libshared.so", "libslow.so", run_path="$ORIGIN/libs"),
    "tool/libs/libfast.so": shared_library(soname="libfast.so"),
    "tool/libs/libslow.so": shared_library(soname="libslow.so"),
    "tool/libs/libshared.so": shared_library(soname="libshared.so"),
    "tool/libs/libopened.so": shared_library(soname="libopened.so"),
    "tool/extra/__init__.py": "",
    "tool/extra/data.json": "{}",
    "tool/data.json": "{}",
}


@pytest.fixture
def lock(requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings) -> Path:
    wheelhouse.numpy()
    wheelhouse.add("tool", files=PACKAGE)
    return lock_requirements(requirements("numpy", "tool"), settings)


def unpack(environment: ExecutionEnvironment, folder: Path) -> Path:
    with tarfile.open(environment.archive) as archive:
        archive.extractall(folder, filter="data")
    return folder


def names(environment: ExecutionEnvironment) -> set[str]:
    with tarfile.open(environment.archive) as archive:
        return {member.name for member in archive if member.isfile()}


def write(lock: Path, *lines: str, keep: tuple[str, ...] = ()) -> Path:
    file = lock.with_name("pruned.txt")
    file.write_text(Pruned(lock_digest(lock), lines, keep).dump("model"))
    return file


def test_what_is_neither_imported_nor_named_goes(
    lock: Path, settings: Settings, tmp_path: Path
) -> None:
    built = build_environment(lock, settings)
    trace = Trace(frozenset({"tool", "tool.table", "tool._fast", "json"}), frozenset())
    root = unpack(built, tmp_path / "root")
    chosen = choose(root, "3.12", trace, load_inventory(built.folder)).names
    assert {name.removeprefix(f"{SITE}/tool/") for name in chosen if "/tool/" in name} == {
        "never.py",
        f"_slow.{TAG}.so",
        "libs/libslow.so",  # the others are needed, or opened by a name that is not known
        "extra/",
    }
    assert f"{SITE}/numpy/" in chosen
    assert "lib/python3.12/sqlite3/" in chosen
    # json's code, text in any encoding, and what reports errors stay
    stays = ("json/decoder", "encodings/cp1252", "traceback", "os")
    assert not {f"lib/python3.12/{name}.py" for name in stays} & set(chosen)


def test_kept_patterns_and_opened_files_stay(
    lock: Path, settings: Settings, tmp_path: Path
) -> None:
    built = build_environment(lock, settings)
    opened = frozenset({f"/models/a/python_env/{SITE}/tool/extra/__init__.py"})
    root = unpack(built, tmp_path / "root")
    chosen = choose(
        root,
        "3.12",
        Trace(frozenset({"tool"}), opened),
        load_inventory(built.folder),
        keep=("tool/never.py",),
    ).names
    assert not {f"{SITE}/tool/never.py", f"{SITE}/tool/extra/"} & set(chosen)


def test_what_the_models_code_imports_stays(lock: Path, settings: Settings, tmp_path: Path) -> None:
    code = tmp_path / "model.py"
    code.write_text("def later():\n    from tool import never\n    import sqlite3\n")
    built = build_environment(lock, settings)
    root = unpack(built, tmp_path / "root")
    trace = Trace(frozenset({"tool"}), frozenset())
    chosen = choose(root, "3.12", trace, load_inventory(built.folder), own=[code]).names
    assert not {f"{SITE}/tool/never.py", "lib/python3.12/sqlite3/"} & set(chosen)


def test_processes_note_what_they_import_also_from_zips(
    lock: Path, settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    (tmp_path / "traced").mkdir()
    traced = with_trace(build_environment(lock, settings), tmp_path / "traced", log)
    folder = unpack(traced, tmp_path / "root")
    code = "import json.tool, importlib, tool; importlib.import_module('tool.inner'); tool.used()"
    command = 'source bin/activate && exec python3 -c "$0"'
    subprocess.run(["bash", "-c", command, code], cwd=folder, env={"PATH": "/bin"}, check=True)
    trace = read_trace(log)
    assert {"json.tool", "tool", "tool.inner", "encodings.utf_8"} <= trace.modules
    assert "tool.never" not in trace.modules
    assert any(name.endswith("tool/__pycache__/inner.cpython-312.pyc") for name in trace.files)


def test_a_build_follows_the_list_and_says_so(lock: Path, settings: Settings) -> None:
    whole = build_environment(lock, settings)
    file = write(lock, f"{SITE}/tool/extra/", f"{SITE}/tool/never.py", "lib/python3.12/sqlite3/")
    assert cached_environment(lock, settings) is None
    built = build_environment(lock, settings)
    gone = {name for name in names(whole) - names(built) if "__pycache__" not in name}
    assert gone == {
        f"{SITE}/tool/{n}" for n in ("extra/__init__.py", "extra/data.json", "never.py")
    }
    with tarfile.open(built.archive) as archive:
        library = archive.extractfile("lib/python312.zip")
        assert library
        modules = zipfile.ZipFile(io.BytesIO(library.read())).namelist()
    assert not any(name.startswith("sqlite3/") for name in modules)
    assert built.pruned is not None
    assert built.pruned.digest == read_pruned(file).digest
    assert cached_environment(lock, settings) == built
    file.unlink()  # the undo
    assert build_environment(lock, settings) == whole


def test_a_list_for_another_lock_is_refused(
    lock: Path, settings: Settings, wheelhouse: Wheelhouse
) -> None:
    file = write(lock, f"{SITE}/tool/never.py")
    file.write_text(file.read_text().replace(lock_digest(lock), "0" * 64))
    with pytest.raises(SlipwayError, match=r"made for another requirements\.lock") as refused:
        build_environment(lock, settings)
    assert refused.value.fix is not None
    assert refused.value.fix.startswith(f"slipway environment prune {lock.parent}/ ")


@pytest.mark.parametrize("line", ["bin/python3", "lib/../x", "/lib/x", "numpy", "lib/"])
def test_a_line_that_names_no_prunable_file_is_refused(lock: Path, line: str) -> None:
    write(lock, line)
    with pytest.raises(SlipwayError, match="is no file of an environment"):
        load_pruned(lock)


def test_a_folder_of_which_nothing_stays_is_one_line() -> None:
    everything = ["a/b/x.py", "a/b/c/y.py", "a/z.py"]
    assert list(collapse(everything[:2], everything)) == ["a/b/"]
    assert list(collapse(everything[1:2], everything)) == ["a/b/c/"]
    assert list(collapse(everything[:1], everything)) == ["a/b/x.py"]
