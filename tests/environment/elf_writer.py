"""Minimal shared libraries: a dynamic section with the names that a test is about, and no code."""

from __future__ import annotations

import struct

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM = struct.Struct("<IIQQQQQQ")
DYNAMIC = struct.Struct("<qQ")
ET_DYN, EM_X86_64 = 3, 62
PT_LOAD, PT_DYNAMIC = 1, 2
DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_SONAME, DT_RUNPATH = 0, 1, 5, 10, 14, 29


def shared_library(*needed: str, soname: str = "", run_path: str = "") -> bytes:
    """Return an ELF file that needs the libraries ``needed``."""
    strings = bytearray(b"\0")
    entries: list[tuple[int, int]] = []
    texts = [(DT_NEEDED, name) for name in needed]
    texts += [(tag, text) for tag, text in ((DT_SONAME, soname), (DT_RUNPATH, run_path)) if text]
    for tag, text in texts:
        entries.append((tag, len(strings)))
        strings += text.encode() + b"\0"
    start = HEADER.size + 2 * PROGRAM.size
    size = DYNAMIC.size * (len(entries) + 3)
    entries += [(DT_STRTAB, start + size), (DT_STRSZ, len(strings)), (DT_NULL, 0)]
    dynamic = b"".join(DYNAMIC.pack(*entry) for entry in entries)
    total = start + size + len(strings)
    header = HEADER.pack(
        *(b"\x7fELF\x02\x01\x01" + bytes(9), ET_DYN, EM_X86_64, 1, 0, HEADER.size, 0, 0),
        *(HEADER.size, PROGRAM.size, 2, 64, 0, 0),
    )
    programs = PROGRAM.pack(PT_LOAD, 4, 0, 0, 0, total, total, 4096)
    programs += PROGRAM.pack(PT_DYNAMIC, 4, start, start, start, size, size, 8)
    return header + programs + dynamic + bytes(strings)
