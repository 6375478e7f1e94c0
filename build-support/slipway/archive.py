"""Reproducible ``tar.gz`` whose members can be moved into another one without recompression.

The file is one plain gzip member (RFC 1952) around one plain ustar/pax archive, so that every
extractor reads it. Inside, the deflate stream is cut into segments of at most 1 MiB, each ending in
a full flush (RFC 1951: a byte boundary and an empty window), which has three uses:

- segments are compressed on all cores, and the bytes do not depend on how many there are;
- a segment that does not compress is stored, which costs a reader nothing;
- the data of a large member is a run of whole segments, so that an execution environment,
  compressed once, is copied into every artifact that needs it; checksums are combined, not redone.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import struct
import tarfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self

from zlib_ng import gzip_ng, zlib_ng

from slipway.errors import SlipwayError

SEGMENT = 1 << 20
FAST = 3  # zlib-ng's level for what is packed every time
THOROUGH = 6  # and for what is packed once and copied from then on
ALONE = 1 << 14  # a smaller member shares its segment: alone it would compress badly
MTIME = 315532800  # 1980-01-01, the earliest that zip files can say as well
HEADER = b"\x1f\x8b\x08\x00" + b"\x00" * 4 + b"\x00\xff"  # no name, no time, unknown system
END = b"\x03\x00"  # an empty final deflate block
INDEX = ".index.json"
EXTENDED = frozenset(
    (
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    )
)
LARGEST_EXTENDED = 1 << 13  # tarfile's expressions take seconds for more (CVE-2024-6232)
DEFLATE_ERROR: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # its stub is wrong


@dataclass(frozen=True)
class Segment:
    """One independently deflated piece: ``data`` inflates to ``size`` bytes."""

    data: bytes
    size: int
    crc: int


@dataclass(frozen=True)
class _Member:
    name: str
    mode: int
    size: int
    segment: int  # the (first) segment that holds its data
    start: int  # where in that segment; a member of its own segments starts at 0
    count: int  # how many segments are its own; 0: it shares one


def deflate(data: bytes, level: int = FAST) -> Segment:
    """Compress up to 1 MiB into one segment; what would not shrink by 3 % is stored."""
    packed = _flushed(data, level)
    if len(packed) > 0.97 * len(data):
        packed = _flushed(data, 0)
    return Segment(packed, len(data), zlib_ng.crc32(data))


def inflate(segment: bytes) -> bytes:
    """The content of one segment's bytes."""
    content: bytes = zlib_ng.decompressobj(-15).decompress(segment)
    return content


def _flushed(data: bytes, level: int) -> bytes:
    pressed = zlib_ng.compressobj(level, zlib_ng.DEFLATED, -15)
    return bytes(pressed.compress(data) + pressed.flush(zlib_ng.Z_FULL_FLUSH))


class TarGzWriter:
    """Write a reproducible ``tar.gz`` to ``out``; close it, or use it as a context manager.

    Members keep the order in which they are added. Nothing of the machine gets in: owner 0, a
    fixed time, the given mode. Directories are written before their first member.
    """

    def __init__(self, out: BinaryIO, *, level: int = FAST, threads: int | None = None) -> None:
        self._out = out
        self._level = level
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)
        self._room = 2 * (threads or os.cpu_count() or 1)
        self._waiting: deque[Future[Segment]] = deque()
        self._pending = bytearray()
        self._members: list[_Member] = []
        self._folders: set[str] = set()
        self._segments: list[tuple[int, int, int, int]] = []  # offset, length, size, crc
        self._queued = 0
        self._crc = 0
        self._size = 0
        self._offset = out.write(HEADER)

    def add_bytes(self, name: str, data: bytes, mode: int = 0o644) -> None:
        """Add a member that holds ``data``."""
        self._head(name, mode, len(data))
        if len(data) < ALONE:
            self._share(name, mode, data)
        else:
            pieces = [data[at : at + SEGMENT] for at in range(0, len(data), SEGMENT)]
            self._own(name, mode, len(data), map(self._compress, pieces))

    def add_file(self, name: str, path: Path, mode: int = 0o644) -> None:
        """Add the file at ``path``, read a segment at a time.

        Raises:
            OSError: it cannot be read, or its length changed meanwhile.
        """
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < ALONE:
                self.add_bytes(name, file.read(), mode)
                return
            self._head(name, mode, size)
            pieces = iter(lambda: file.read(SEGMENT), b"")
            self._own(name, mode, size, map(self._compress, pieces))
            if file.tell() != size:
                raise OSError(f"{path} changed while it was read")

    def add_members(self, archive: Path, prefix: str) -> None:
        """Add every member of ``archive``, which has an index, with ``prefix`` before its name.

        Large members are copied as they are; ``prefix`` ends in a slash, or is empty.
        """
        members, segments = _read_index(archive)
        shared, content = -1, b""
        with archive.open("rb") as file:

            def copied(member: _Member) -> Iterator[Future[Segment]]:
                for offset, length, size, crc in segments[
                    member.segment : member.segment + member.count
                ]:
                    file.seek(offset)
                    done: Future[Segment] = Future()
                    done.set_result(Segment(file.read(length), size, crc))
                    yield done

            for member in members:
                name = prefix + member.name
                self._head(name, member.mode, member.size)
                if member.count:
                    self._own(name, member.mode, member.size, copied(member))
                    continue
                if member.segment != shared:
                    shared = member.segment
                    file.seek(segments[shared][0])
                    content = inflate(file.read(segments[shared][1]))
                data = content[member.start : member.start + member.size]
                self._share(name, member.mode, data)

    def close(self) -> None:
        """Write the end of the archive and of the gzip member."""
        self._pend(b"\0" * (2 * tarfile.BLOCKSIZE))
        self._seal()
        while self._waiting:
            self._drain()
        self._out.write(END + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))
        self._pool.shutdown()

    def index(self) -> bytes:
        """After :meth:`close`: where each member's data lies, for :meth:`add_members`."""
        members = [[m.name, m.mode, m.size, m.segment, m.start, m.count] for m in self._members]
        text = json.dumps({"segments": self._segments, "members": members}, separators=(",", ":"))
        return text.encode()

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

    def _head(self, name: str, mode: int, size: int) -> None:
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in self._folders:
                self._folders.add(folder)
                self._pend(_header(folder, 0o755, 0, tarfile.DIRTYPE))
        self._pend(_header(name, mode, size, tarfile.REGTYPE))

    def _share(self, name: str, mode: int, data: bytes) -> None:
        if len(self._pending) + len(data) > SEGMENT:
            self._seal()
        start = len(self._pending)
        self._members.append(_Member(name, mode, len(data), self._queued, start, 0))
        self._pend(data + _padding(len(data)), whole=True)

    def _own(self, name: str, mode: int, size: int, pieces: Iterator[Future[Segment]]) -> None:
        self._seal()
        first = self._queued
        for piece in pieces:
            self._enqueue(piece)
        self._members.append(_Member(name, mode, size, first, 0, self._queued - first))
        self._pend(_padding(size))

    def _pend(self, data: bytes, *, whole: bool = False) -> None:
        self._pending += data
        if len(self._pending) >= SEGMENT and not whole:
            self._seal()

    def _seal(self) -> None:
        """Send what is pending on its way as one segment."""
        if self._pending:
            self._enqueue(self._compress(bytes(self._pending)))
            self._pending.clear()

    def _compress(self, data: bytes) -> Future[Segment]:
        return self._pool.submit(deflate, data, self._level)

    def _enqueue(self, segment: Future[Segment]) -> None:
        self._waiting.append(segment)
        self._queued += 1
        while len(self._waiting) > self._room:
            self._drain()

    def _drain(self) -> None:
        segment = self._waiting.popleft().result()
        self._segments.append((self._offset, len(segment.data), segment.size, segment.crc))
        self._offset += self._out.write(segment.data)
        self._crc = zlib_ng.crc32_combine(self._crc, segment.crc, segment.size)
        self._size += segment.size


def write_indexed(path: Path, writer: TarGzWriter) -> None:
    """Write the closed ``writer``'s index beside its archive ``path``."""
    path.with_name(path.name + INDEX).write_bytes(writer.index())


class _Bounded(tarfile.TarInfo):
    """A member whose extended headers are few and small: tarfile reads each whole, keeps what the
    global ones say, and calls itself for the next; and gzip makes 1 GB of zeros a 1 MB file."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        # it keeps every member, for those who ask twice
        tar.members.clear()  # type: ignore[attr-defined]
        try:
            return super().fromtarfile(tar)
        except (tarfile.TarError, EOFError, OSError, DEFLATE_ERROR):
            raise
        except Exception as error:
            # numbers that are none, names that are no text: tarfile lets through what int() raises
            raise tarfile.ReadError(f"invalid tar header: {error}") from error

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        read = tar.__dict__.setdefault("extended", {"of the archive": 0, "of a member": 0})
        whose = "of the archive" if self.type == tarfile.XGLTYPE else "of a member"
        if self.type in EXTENDED:
            read[whose] += max(self.size, tarfile.BLOCKSIZE)
            if read[whose] > LARGEST_EXTENDED:
                raise tarfile.ReadError(f"extended headers {whose} of {read[whose]:,} bytes")
        elif self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a sparse file")
        else:
            read["of a member"] = 0
        member: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]
        return member

    def _sparse(self, *_: object) -> None:
        # the maps of sparse files have no largest size
        raise tarfile.ReadError("a sparse file")

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _sparse


@contextlib.contextmanager
def open_tar(source: Path | BinaryIO, name: str = "") -> Iterator[tarfile.TarFile]:
    """Read a ``tar.gz``, a file or a stream called ``name``, once, members in their order.

    Raises:
        SlipwayError: it is missing, cut short, or not a ``tar.gz``.
    """
    where = name or str(source)
    try:
        if isinstance(source, Path):
            stream = gzip_ng.GzipNGFile(source)  # type: ignore[no-untyped-call]
        else:
            stream = gzip_ng.GzipNGFile(fileobj=source)  # type: ignore[no-untyped-call]
        with stream, tarfile.open(fileobj=stream, mode="r|", tarinfo=_Bounded) as tar:
            yield tar
    except FileNotFoundError as error:
        if not isinstance(source, Path):
            raise
        raise SlipwayError("no such file", where=where) from error
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, DEFLATE_ERROR) as error:
        raise SlipwayError(
            f"not a complete tar.gz: {error}",
            where=where,
            fix="rebuild it or download it again",
        ) from error


def regular_files(
    tar: tarfile.TarFile,
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Yield each regular file of an archive with the stream of its content, to be read at once."""
    for member in tar:
        stream = tar.extractfile(member) if member.isfile() else None
        if stream is not None:
            yield member, stream


def _read_index(archive: Path) -> tuple[list[_Member], list[tuple[int, int, int, int]]]:
    index = json.loads(archive.with_name(archive.name + INDEX).read_bytes())
    return [_Member(*row) for row in index["members"]], index["segments"]


def _header(name: str, mode: int, size: int, kind: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.mode, info.size, info.type, info.mtime = mode, size, kind, MTIME
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)
