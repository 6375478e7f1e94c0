"""Strip and relocate ELF files without binutils: bytes must not depend on installed tools."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC_64_LITTLE = b"\x7fELF\x02\x01"
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM = struct.Struct("<IIQQQQQQ")
SECTION = struct.Struct("<IIQQQQIIQQ")
DYNAMIC = struct.Struct("<qQ")
PT_LOAD, PT_DYNAMIC = 1, 2
SHT_RELA, SHT_REL, SHT_NOBITS, SHT_STRTAB = 4, 9, 8, 3
SHF_ALLOC, SHF_INFO_LINK = 0x2, 0x40
DT_STRTAB, DT_RPATH, DT_RUNPATH = 5, 15, 29


@dataclass
class _Section:
    name: bytes
    fields: list[int]  # name, type, flags, address, offset, size, link, info, align, entry size


def is_elf(data: bytes) -> bool:
    """Return whether this is an ELF file of the supported kind: 64 bits, little endian."""
    return data.startswith(MAGIC_64_LITTLE)


def strip_symbols(data: bytes) -> bytes:
    """Return the program or library without symbol table and debug information.

    The bytes that the program headers load are unchanged. A section table of the loaded sections
    follows, for debuggers and profilers. Other files are returned unchanged.
    """
    if not is_elf(data):
        return data
    header = list(HEADER.unpack_from(data))
    end = max((p[2] + p[5] for p in _programs(data) if p[0] == PT_LOAD), default=0)
    end = max(end, header[5] + header[9] * header[10])
    sections = _sections(data)
    loaded = [i for i, s in enumerate(sections) if i == 0 or s.fields[2] & SHF_ALLOC]
    if len(loaded) + 1 >= len(sections):
        return data  # only the table of section names could be removed
    number = {old: new for new, old in enumerate(loaded)}
    names = bytearray(b"\0")
    table = []
    for old in loaded:
        section = sections[old]
        kind, flags = section.fields[1], section.fields[2]
        section.fields[6] = number.get(section.fields[6], 0)
        if flags & SHF_INFO_LINK or kind in (SHT_RELA, SHT_REL):
            section.fields[7] = number.get(section.fields[7], 0)
        section.fields[0] = len(names) if section.name else 0
        names += section.name + b"\0" if section.name else b""
        table.append(SECTION.pack(*section.fields))
    own_name = len(names)
    names += b".shstrtab\0"
    table.append(SECTION.pack(own_name, SHT_STRTAB, 0, 0, end, len(names), 0, 0, 1, 0))
    body = data[:end] + names
    body += b"\0" * (-len(body) % 8)
    header[6], header[12], header[13] = len(body), len(table), len(table) - 1
    return HEADER.pack(*header) + body[HEADER.size :] + b"".join(table)


def make_relocatable(data: bytes, folder: bytes) -> bytes:
    """Return the program with ``folder`` (``$ORIGIN/…``) as the run path of its libraries.

    Only an absolute run path that is at least as long as ``folder`` is replaced, in place.
    """
    if not is_elf(data):
        return data
    loads = [p for p in _programs(data) if p[0] == PT_LOAD]
    entries = {}
    for program in _programs(data):
        if program[0] == PT_DYNAMIC:
            content = data[program[2] : program[2] + program[5]]
            entries = dict(DYNAMIC.iter_unpack(content))
    tag = DT_RUNPATH if DT_RUNPATH in entries else DT_RPATH
    if tag not in entries or DT_STRTAB not in entries:
        return data
    address = entries[DT_STRTAB] + entries[tag]
    for program in loads:
        if program[3] <= address < program[3] + program[5]:
            start = program[2] + address - program[3]
            length = data.index(b"\0", start) - start
            if data[start : start + 1] == b"/" and len(folder) <= length:
                return data[:start] + folder.ljust(length, b"\0") + data[start + length :]
    return data


def _programs(data: bytes) -> list[tuple[int, ...]]:
    header = HEADER.unpack_from(data)
    return [PROGRAM.unpack_from(data, header[5] + i * header[9]) for i in range(header[10])]


def _sections(data: bytes) -> list[_Section]:
    header = HEADER.unpack_from(data)
    rows = [SECTION.unpack_from(data, header[6] + i * header[11]) for i in range(header[12])]
    if not rows:
        return []
    names_offset = rows[header[13]][4]
    sections = []
    for row in rows:
        start = names_offset + row[0]
        sections.append(_Section(data[start : data.index(b"\0", start)], list(row)))
    return sections
