"""What a file or folder holds, for formats to recognise it by: read once, bounded, nothing run."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HEAD = 65_536  # bytes
ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Contents:
    """The file or folder ``path``. ``head`` are its first bytes, ``names`` what it holds."""

    path: Path

    @cached_property
    def head(self) -> bytes:
        """Return the first 64 KiB of a file; nothing of a folder."""
        if self.path.is_dir():
            return b""
        with self.path.open("rb") as file:
            return file.read(HEAD)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the paths of the files in a folder or a zip archive, sorted; () of other files."""
        if self.path.is_dir():
            files = (p for p in sorted(self.path.rglob("*")) if p.is_file())
            return tuple(p.relative_to(self.path).as_posix() for p in files)
        if not zipfile.is_zipfile(self.path):
            return ()
        try:
            with zipfile.ZipFile(self.path) as archive:
                return tuple(sorted(archive.namelist()))
        except zipfile.BadZipFile:
            return ()

    @cached_property
    def is_cut_archive(self) -> bool:
        """Return whether it begins as a zip archive, and lacks its end.

        An archive in the archive may still have its own end, which :mod:`zipfile` takes for it.
        """
        if not self.head.startswith(ZIP):
            return False
        try:
            with zipfile.ZipFile(self.path) as archive:
                return all(member.header_offset for member in archive.infolist())
        except zipfile.BadZipFile:
            return True

    def member(self, name: str, limit: int = 1_000_000) -> bytes:
        """Return the first ``limit`` bytes of a file in the folder or archive."""
        if self.path.is_dir():
            with (self.path / name).open("rb") as file:
                return file.read(limit)
        with zipfile.ZipFile(self.path) as archive, archive.open(name) as stream:
            return stream.read(limit)
