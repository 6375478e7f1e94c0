"""Blank the symbols for debuggers in libraries: no loader reads them, and they compress badly."""

from __future__ import annotations

import shutil
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section

MAGIC = b"\x7fELF"
LOADED = {"ET_DYN", "ET_EXEC"}  # an object file's symbols are needed by whoever links it
MACHINES = {"EM_X86_64", "EM_AARCH64"}  # not programs for GPUs, which find functions by them
SHF_ALLOC = 0x2  # of a section that is loaded (ELF-64 object file format, chapter 3)
WORTH = 1 << 12  # bytes; less is not worth a copy


def without_symbols(path: Path, copies: Path) -> Path:
    """Return ``path``, or a copy of the library in ``copies`` whose unloaded symbols are zeros.

    Nothing moves: what `strip` does shifts the parts of a file, and breaks some that patchelf has
    changed. Symbols that the loader uses stay (``.dynsym``).
    """
    with path.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return path
        try:
            places = _places(ELFFile(stream))
        except ELFError:
            return path
    if sum(size for _, size in places) < WORTH:
        return path
    copies.mkdir(parents=True, exist_ok=True)
    copy = copies / f"{len(list(copies.iterdir()))}-{path.name}"
    shutil.copyfile(path, copy)
    copy.chmod(path.stat().st_mode & 0o777 | 0o200)
    with copy.open("r+b") as stream:
        for offset, size in places:
            stream.seek(offset)
            stream.write(bytes(size))
    return copy


def _places(elf: ELFFile) -> list[tuple[int, int]]:
    """Return offset and size of each section that only debuggers read."""
    if elf["e_type"] not in LOADED or elf["e_machine"] not in MACHINES:
        return []
    sections = list(elf.iter_sections())
    places = []
    for section in sections:
        if section["sh_flags"] & SHF_ALLOC or section["sh_type"] == "SHT_NOBITS":
            continue
        if section["sh_type"] == "SHT_SYMTAB":
            strings = sections[section["sh_link"]]
            shared = any(
                s["sh_flags"] & SHF_ALLOC for s in sections if _uses(s, section["sh_link"])
            )
            names_sections = elf["e_shstrndx"] == section["sh_link"]
            places.append((section["sh_offset"], section["sh_size"]))
            if not shared and not names_sections and not strings["sh_flags"] & SHF_ALLOC:
                places.append((strings["sh_offset"], strings["sh_size"]))
        elif section.name.startswith((".debug_", ".zdebug_")):
            places.append((section["sh_offset"], section["sh_size"]))
    return places


def _uses(section: Section, strings: int) -> bool:
    return bool(section["sh_link"] == strings)
