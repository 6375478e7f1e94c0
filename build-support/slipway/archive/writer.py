"""Write reproducible ``tar.gz`` files whose members can be copied without recompression.

The file is one plain gzip member (RFC 1952) around one plain ustar/pax archive, so that every
extractor reads it. The deflate stream is cut into segments of at most 1 MiB, each ending in a full
flush (RFC 1951: a byte boundary and an empty window). The segments have three uses:

- they are compressed on all cores, and the bytes do not depend on the number of cores;
- a segment that does not compress is stored, so that readers do not spend time on it;
- the data of a large member is a run of complete segments. An execution environment, compressed
  once, is copied into every artifact that needs it; checksums are combined, not computed again.
"""

from __future__ import annotations

import os
import struct
import tarfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from zlib_ng import zlib_ng

from slipway.archive.index import Index, IndexedMember, IndexedSegment, index_path, load_index
from slipway.archive.segment import FAST, SEGMENT, Segment, deflate, inflate
from slipway.files import ReadableStream, WritableStream

SHARED_BELOW = 1 << 14  # bytes; a smaller member shares a segment: alone it would compress badly
MTIME = 315532800  # 1980-01-01, the earliest time that zip files can hold as well
HEADER = b"\x1f\x8b\x08\x00" + b"\x00" * 4 + b"\x00\xff"  # no name, no time, unknown system
FINAL_BLOCK = b"\x03\x00"  # an empty final deflate block


class TarGzWriter:
    """Write a reproducible ``tar.gz`` to ``out``; close it, or use it as a context manager.

    Members keep the order in which they are added. Nothing of the machine gets in: owner 0, a
    fixed time, the given mode. Directories are written before their first member.
    """

    def __init__(
        self, out: WritableStream, *, level: int = FAST, threads: int | None = None
    ) -> None:
        self._out = out
        self._level = level
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)
        self._queue_limit = 2 * (threads or os.cpu_count() or 1)
        self._queue: deque[Future[Segment]] = deque()
        self._pending = bytearray()
        self._index = Index([], [])
        self._folders: set[str] = set()
        self._enqueued = 0
        self._crc = 0
        self._size = 0
        self._offset = out.write(HEADER)

    def add_bytes(self, name: str, data: bytes, mode: int = 0o644) -> None:
        """Add a member that holds ``data``."""
        self._add_header(name, mode, len(data))
        if len(data) < SHARED_BELOW:
            self._add_shared(name, mode, data)
        else:
            pieces = [data[at : at + SEGMENT] for at in range(0, len(data), SEGMENT)]
            self._add_segments(name, mode, len(data), map(self._compress, pieces))

    def add_file(self, name: str, path: Path, mode: int = 0o644) -> None:
        """Add the file at ``path``, read a segment at a time.

        Raises:
            OSError: it cannot be read, or its length changed meanwhile.
        """
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self.add_stream(name, file, size, mode)
            if file.tell() != size:
                raise OSError(f"{path} changed while it was read")

    def add_stream(self, name: str, stream: ReadableStream, size: int, mode: int = 0o644) -> None:
        """Add a member of ``size`` bytes, all that ``stream`` holds, read a segment at a time."""
        if size < SHARED_BELOW:
            self.add_bytes(name, stream.read(size), mode)
            return
        self._add_header(name, mode, size)
        pieces = iter(lambda: stream.read(SEGMENT), b"")
        self._add_segments(name, mode, size, map(self._compress, pieces))

    def add_link(self, name: str, target: str) -> None:
        """Add a symbolic link to ``target``. An artifact has none; a layer of an image may."""
        self._add_folders(name)
        self._append(_header(name, 0o777, 0, tarfile.SYMTYPE, target))

    def add_members(self, archive: Path, prefix: str) -> None:
        """Add every member of ``archive``, which has an index, with ``prefix`` before its name.

        Large members are copied as they are; ``prefix`` ends in a slash, or is empty.
        """
        index = load_index(archive)
        shared, content = -1, b""
        with archive.open("rb") as file:
            for member in index.members:
                name = prefix + member.name
                self._add_header(name, member.mode, member.size)
                if member.count:
                    segments = index.segments[member.segment : member.segment + member.count]
                    self._add_segments(name, member.mode, member.size, _copies(file, segments))
                    continue
                if member.segment != shared:
                    shared = member.segment
                    file.seek(index.segments[shared].offset)
                    content = inflate(file.read(index.segments[shared].length))
                data = content[member.start : member.start + member.size]
                self._add_shared(name, member.mode, data)

    def close(self) -> None:
        """Write the end of the archive and of the gzip member."""
        self._append(b"\0" * (2 * tarfile.BLOCKSIZE))
        self._seal()
        while self._queue:
            self._write_next()
        self._out.write(FINAL_BLOCK + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))
        self._pool.shutdown()

    def index(self) -> bytes:
        """Return, after :meth:`close`, where each member's data lies, for :meth:`add_members`."""
        return self._index.dump()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._pool.shutdown(cancel_futures=True)

    def _add_header(self, name: str, mode: int, size: int) -> None:
        self._add_folders(name)
        self._append(_header(name, mode, size, tarfile.REGTYPE))

    def _add_folders(self, name: str) -> None:
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in self._folders:
                self._folders.add(folder)
                self._append(_header(folder, 0o755, 0, tarfile.DIRTYPE))

    def _add_shared(self, name: str, mode: int, data: bytes) -> None:
        """Add a small member's data to the pending segment; a member is never split over two."""
        if len(self._pending) + len(data) > SEGMENT:
            self._seal()
        start = len(self._pending)
        member = IndexedMember(name, mode, len(data), self._enqueued, start, 0)
        self._index.members.append(member)
        self._pending += data + _padding(len(data))

    def _add_segments(
        self, name: str, mode: int, size: int, segments: Iterator[Future[Segment]]
    ) -> None:
        """Add a large member's data as segments of its own."""
        self._seal()
        first = self._enqueued
        for segment in segments:
            self._enqueue(segment)
        member = IndexedMember(name, mode, size, first, 0, self._enqueued - first)
        self._index.members.append(member)
        self._append(_padding(size))

    def _append(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) >= SEGMENT:
            self._seal()

    def _seal(self) -> None:
        """Enqueue the pending bytes as one segment."""
        if self._pending:
            self._enqueue(self._compress(bytes(self._pending)))
            self._pending.clear()

    def _compress(self, data: bytes) -> Future[Segment]:
        return self._pool.submit(deflate, data, self._level)

    def _enqueue(self, segment: Future[Segment]) -> None:
        self._queue.append(segment)
        self._enqueued += 1
        while len(self._queue) > self._queue_limit:
            self._write_next()

    def _write_next(self) -> None:
        segment = self._queue.popleft().result()
        self._index.segments.append(
            IndexedSegment(self._offset, len(segment.data), segment.size, segment.crc)
        )
        self._offset += self._out.write(segment.data)
        self._crc = zlib_ng.crc32_combine(self._crc, segment.crc, segment.size)
        self._size += segment.size


def write_indexed(path: Path, writer: TarGzWriter) -> None:
    """Write the closed ``writer``'s index next to its archive ``path``."""
    index_path(path).write_bytes(writer.index())


def _copies(file: BinaryIO, segments: list[IndexedSegment]) -> Iterator[Future[Segment]]:
    """Read compressed segments from ``file``, as the results of work that is already done."""
    for offset, length, size, crc in segments:
        file.seek(offset)
        copy: Future[Segment] = Future()
        copy.set_result(Segment(file.read(length), size, crc))
        yield copy


def _header(name: str, mode: int, size: int, kind: bytes, target: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.mode, info.size, info.type, info.mtime = mode, size, kind, MTIME
    info.linkname = target
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)
