"""Symbols for debuggers, blanked in libraries that compilers wrote."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from slipway.environment.libraries.symbols import without_symbols
from tests.environment.elf_writer import shared_library

PACKAGES = [Path(path) for path in sys.path if path.endswith("site-packages")]


def extension_with_symbols() -> Path:
    """Return a compiled library of an installed package that has symbols for debuggers."""
    for packages in PACKAGES:
        for path in sorted(packages.rglob("*.so")):
            with path.open("rb") as stream:
                if ELFFile(stream).get_section_by_name(".symtab") and path.stat().st_size > 1e5:
                    return path
    pytest.skip("no installed package has a library with symbols")


def test_a_library_loses_only_what_no_loader_reads(tmp_path: Path) -> None:
    original = extension_with_symbols()
    blanked = without_symbols(original, tmp_path / "copies")
    assert blanked.stat().st_size == original.stat().st_size
    before, after = original.read_bytes(), blanked.read_bytes()
    with original.open("rb") as stream:
        elf = ELFFile(stream)
        loaded = [s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD"]
        for segment in loaded:
            start, end = segment["p_offset"], segment["p_offset"] + segment["p_filesz"]
            assert before[start:end] == after[start:end]
        symbols = elf.get_section_by_name(".symtab")
    assert symbols is not None
    start = symbols["sh_offset"]
    assert after[start : start + symbols["sh_size"]].count(0) == symbols["sh_size"]


def test_what_has_no_such_symbols_is_not_copied(tmp_path: Path) -> None:
    files = {
        "plain.so": shared_library("libc.so.6"),
        "text.so": b"GROUP ( x )",
        "cut.so": b"\x7fELF",
    }
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        assert without_symbols(path, tmp_path / "copies") == path
