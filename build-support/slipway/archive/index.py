"""The index of an archive: where the data of each member lies, so that it can be copied."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple

SUFFIX = ".index.json"


@dataclass(frozen=True)
class IndexedMember:
    """A member of an archive.

    ``segment`` is the (first) segment that holds its data. ``start`` is the offset in the content
    of that segment; a member with segments of its own starts at 0. ``count`` is the number of
    segments of its own, 0 if it shares one.
    """

    name: str
    mode: int
    size: int
    segment: int
    start: int
    count: int


class IndexedSegment(NamedTuple):
    """A segment of an archive: its place in the file, and the size and CRC of its content."""

    offset: int
    length: int
    size: int
    crc: int


@dataclass(frozen=True)
class Index:
    """The members and segments of one archive, in their order."""

    members: list[IndexedMember]
    segments: list[IndexedSegment]

    def dump(self) -> bytes:
        """Return the index as JSON, which :func:`load_index` reads."""
        members = [astuple(member) for member in self.members]
        text = json.dumps({"segments": self.segments, "members": members}, separators=(",", ":"))
        return text.encode()


def index_path(archive: Path) -> Path:
    """Return the path of the index next to ``archive``."""
    return archive.with_name(archive.name + SUFFIX)


def load_index(archive: Path) -> Index:
    """Read the index next to ``archive``."""
    values = json.loads(index_path(archive).read_bytes())
    return Index(
        [IndexedMember(*row) for row in values["members"]],
        [IndexedSegment(*row) for row in values["segments"]],
    )
