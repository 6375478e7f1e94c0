"""Read a ``tar.gz`` of unknown origin once, with limits on what its headers may take."""

from __future__ import annotations

import contextlib
import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, Self

from zlib_ng import gzip_ng, zlib_ng

from slipway.errors import SlipwayError

EXTENDED_HEADERS = frozenset(
    (
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    )
)
# bytes; tarfile's regular expressions take seconds for more (CVE-2024-6232)
MAX_EXTENDED_HEADERS = 1 << 13
DAMAGED_HEADERS = (
    tarfile.InvalidHeaderError,  # type: ignore[attr-defined]
    tarfile.EmptyHeaderError,  # type: ignore[attr-defined]
    tarfile.TruncatedHeaderError,  # type: ignore[attr-defined]
)
CHUNK = 1 << 20  # bytes
DEFLATE_ERROR: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # its stub is wrong


class BoundedTarInfo(tarfile.TarInfo):
    """A member whose extended headers are few and small.

    ``tarfile`` reads each extended header at once, keeps the values of the global ones and calls
    itself for the next, while gzip makes a file of 1 MB from 1 GB of zeros.
    """

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        """See :class:`tarfile.TarInfo`."""
        # tarfile keeps every member for a second reading, which does not happen here
        tar.members.clear()  # type: ignore[attr-defined]
        try:
            return super().fromtarfile(tar)
        except DAMAGED_HEADERS as error:
            # tarfile takes a damaged header for the archive's end, unless it is the first one
            raise tarfile.ReadError(f"{error} after {tar.offset:,} bytes of content") from error
        except (tarfile.TarError, EOFError, OSError, DEFLATE_ERROR):
            raise
        except Exception as error:
            # invalid numbers and undecodable names: tarfile lets the errors of int() through
            raise tarfile.ReadError(f"invalid tar header: {error}") from error

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        sizes = tar.__dict__.setdefault("extended", {"of the archive": 0, "of a member": 0})
        owner = "of the archive" if self.type == tarfile.XGLTYPE else "of a member"
        if self.type in EXTENDED_HEADERS:
            sizes[owner] += max(self.size, tarfile.BLOCKSIZE)
            if sizes[owner] > MAX_EXTENDED_HEADERS:
                raise tarfile.ReadError(f"extended headers {owner} of {sizes[owner]:,} bytes")
        elif self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a sparse file")
        else:
            sizes["of a member"] = 0
        member: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]
        return member

    def _refuse_sparse(self, *_: object) -> None:
        # the maps of sparse files have no maximum size
        raise tarfile.ReadError("a sparse file")

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


@contextlib.contextmanager
def open_tar(
    source: Path | BinaryIO, name: str = "", *, to_end: bool = True
) -> Iterator[tarfile.TarFile]:
    """Open a ``tar.gz``, a file or a stream called ``name``, to read its members once, in order.

    When the block ends, the rest is read too, up to gzip's checksum of the content: before that,
    nothing says that the members were all there are, and undamaged. A caller that needs only the
    first members, and whose result nobody takes for a check, passes ``to_end=False``.

    Raises:
        SlipwayError: it is missing, truncated, damaged, or not a ``tar.gz``.
    """
    where = name or str(source)
    try:
        if isinstance(source, Path):
            stream = gzip_ng.GzipNGFile(source)  # type: ignore[no-untyped-call]
        else:
            stream = gzip_ng.GzipNGFile(fileobj=source)  # type: ignore[no-untyped-call]
        with stream, tarfile.open(fileobj=stream, mode="r|", tarinfo=BoundedTarInfo) as tar:
            yield tar
            if to_end:
                _read_to_end(tar)
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


def _read_to_end(tar: tarfile.TarFile) -> None:
    """Read the members that are left, and what follows them.

    Raises:
        tarfile.ReadError: something else than zeros follows the archive's end.
        gzip.BadGzipFile: the content's checksum or length is not the recorded one.
    """
    for _ in tar:
        pass
    # tarfile's buffered stream: what it has read ahead, and then the rest
    while chunk := tar.fileobj.read(CHUNK):  # type: ignore[union-attr]
        if chunk.count(0) != len(chunk):
            raise tarfile.ReadError("more content after the archive's end")


def regular_files(
    tar: tarfile.TarFile,
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Yield each regular file of an archive with a stream of its content.

    The stream has to be read before the next file is asked for.
    """
    for member in tar:
        stream = tar.extractfile(member) if member.isfile() else None
        if stream is not None:
            yield member, stream
