"""Unpack an artifact, as the platform does before the server sees it."""

from __future__ import annotations

import errno
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from slipway.archive.reader import open_tar
from slipway.errors import SlipwayError

INVALID_NAME = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EEXIST, errno.ELOOP}
BLOCK = 4096  # bytes that a file or folder takes at least, on common file systems


class InsufficientSpace(SlipwayError):
    """The unpacked artifact takes more bytes than are available."""


def extract(
    artifact: Path | BinaryIO,
    into: Path,
    *,
    name: str = "",
    reserve: Callable[[int], None] = lambda _: None,
) -> None:
    """Unpack ``artifact``, a file or a stream called ``name``, into the folder ``into`` only.

    Before a member is written, ``reserve`` is called with the bytes that it takes on the disk; it
    may raise :class:`InsufficientSpace`.

    Raises:
        SlipwayError: it is not a complete ``tar.gz``, or a member would be outside ``into``, or is
            a link or a device (Slipway packs plain files only).
    """
    where = name or str(artifact)
    into.mkdir(parents=True, exist_ok=True)
    with open_tar(artifact, name) as tar:
        for member in tar:
            if not (member.isfile() or member.isdir()):
                raise _refused(where, f"{member.name} is neither a file nor a folder")
            reserve(_blocks(member))
            try:
                tar.extract(member, into, filter="data", set_attrs=member.isfile())
            except (
                tarfile.TarError,
                ValueError,
                NotADirectoryError,
                IsADirectoryError,
            ) as error:
                raise _refused(where, str(error)) from error
            except OSError as error:
                if error.errno in INVALID_NAME:
                    raise _refused(where, f"{member.name!r:.80}: {error.strerror}") from error
                raise


def unpacked_size(artifact: Path | BinaryIO, *, name: str = "", limit: int) -> int:
    """Return the bytes that ``artifact`` would take on the disk, without writing anything.

    Raises:
        InsufficientSpace: more than ``limit``.
        SlipwayError: it is not a complete ``tar.gz``.
    """
    total = 0
    with open_tar(artifact, name) as tar:
        for member in tar:
            total += _blocks(member)
            if total > limit:
                raise InsufficientSpace(f"it takes more than {limit:,} bytes unpacked", where=name)
    return total


def _blocks(member: tarfile.TarInfo) -> int:
    return BLOCK * max(1, -(-member.size // BLOCK))


def _refused(where: str, why: str) -> SlipwayError:
    return SlipwayError(f"not unpacked: {why}", where=where, fix="rebuild it with slipway build")
