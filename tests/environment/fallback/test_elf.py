from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.environment.fallback import cpython
from slipway.environment.fallback.elf import is_elf, make_relocatable, strip_symbols

MINOR = "{}.{}".format(*sys.version_info)


@pytest.fixture(scope="module")
def library() -> bytes:
    return cpython.find_python(MINOR).library.read_bytes()


def test_a_stripped_library_loads_and_keeps_its_symbols_for_linking(
    library: bytes, tmp_path: Path
) -> None:
    small = tmp_path / "libpython.so"
    small.write_bytes(strip_symbols(library))
    assert len(small.read_bytes()) <= len(library)
    # in another process, since this one has loaded the original library already
    code = f"import ctypes; print(ctypes.CDLL({str(small)!r}).Py_IsInitialized)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_extension_modules_still_import_when_stripped(tmp_path: Path) -> None:
    folder = Path(sysconfig.get_path("stdlib"), "lib-dynload")
    names = []
    for path in folder.glob("*.so"):
        name = path.name.split(".")[0]
        if name in ("_ctypes", "_decimal", "_json", "_ssl", "_sqlite3", "math", "zlib"):
            (tmp_path / path.name).write_bytes(strip_symbols(path.read_bytes()))
            names.append(name)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {', '.join(names)}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_stripping_twice_is_stripping_once(library: bytes) -> None:
    assert strip_symbols(strip_symbols(library)) == strip_symbols(library)


def test_no_debug_information_is_left(library: bytes) -> None:
    assert b".debug_info" not in strip_symbols(library) and b".symtab" not in strip_symbols(library)


@given(st.binary(max_size=200))
def test_a_file_that_is_not_elf_is_unchanged(data: bytes) -> None:
    if not is_elf(data):
        assert strip_symbols(data) == data == make_relocatable(data, b"$ORIGIN/../lib")


def test_a_moved_program_finds_its_library(tmp_path: Path) -> None:
    installed = cpython.find_python(MINOR)
    for folder, name, data in (
        ("bin", "python", make_relocatable(installed.executable.read_bytes(), b"$ORIGIN/../lib")),
        ("lib", installed.library.name, strip_symbols(installed.library.read_bytes())),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(data)
    program = tmp_path / "bin" / "python"
    program.chmod(0o755)
    # LD_TRACE_LOADED_OBJECTS makes the loader list what it would load, and run nothing
    loaded = subprocess.run(
        [program], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True, check=True
    ).stdout
    if b"$ORIGIN" in program.read_bytes():
        assert str(tmp_path) in loaded
