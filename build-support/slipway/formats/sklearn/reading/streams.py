"""Pickle files, compressed or not, as streams of bounded size; nothing is unpickled here.

joblib compresses with zlib, gzip, bz2, xz, lzma (``joblib.numpy_pickle_utils``). Each is told by
its first bytes.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

PIECE = 1 << 20  # bytes
LIMIT = 4 << 30  # bytes unpacked; a larger pickle is refused
PICKLE = re.compile(rb"\x80[\x02-\x05]")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Truncated(Exception):
    """The file ends before its end mark."""


class TooLarge(Exception):
    """The file unpacks to more than ``LIMIT``."""


def _decompressors() -> tuple[tuple[bytes, str, Callable[[], _Decompressor]], ...]:
    return (
        (b"\x1f\x8b", "gzip", lambda: zlib.decompressobj(31)),
        (b"\x78\x01", "zlib", zlib.decompressobj),
        (b"\x78\x5e", "zlib", zlib.decompressobj),
        (b"\x78\x9c", "zlib", zlib.decompressobj),
        (b"\x78\xda", "zlib", zlib.decompressobj),
        (b"BZh", "bz2", bz2.BZ2Decompressor),
        (b"\xfd7zXZ\x00", "xz", lzma.LZMADecompressor),
        (b"\x5d\x00\x00", "lzma", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE)),
    )


def compression(head: bytes) -> str:
    """Return what compresses a file that begins with ``head``; "" if nothing does."""
    return next((name for magic, name, _ in _decompressors() if head.startswith(magic)), "")


def is_pickle(head: bytes) -> bool:
    """Return whether a file that begins with ``head``, 64 KiB of it or all, holds a pickle."""
    for magic, _, make in _decompressors():
        if head.startswith(magic):
            try:
                return PICKLE.match(make().decompress(head)[:2]) is not None
            except (OSError, zlib.error, lzma.LZMAError, EOFError):
                return False
    return PICKLE.match(head) is not None


def pieces(path: Path) -> Iterator[bytes]:
    """Yield the unpacked bytes of a pickle file.

    Raises:
        Truncated: the compressed stream has no end.
        TooLarge: it unpacks to more than ``LIMIT``.
    """
    total = 0
    with path.open("rb") as file:
        head = file.read(16)
        file.seek(0)
        found = next((make for magic, _, make in _decompressors() if head.startswith(magic)), None)
        decompressor = found() if found else None
        while data := file.read(PIECE):
            try:
                piece = decompressor.decompress(data) if decompressor else data
            except (OSError, zlib.error, lzma.LZMAError, EOFError) as error:
                raise Truncated(str(error)) from error
            total += len(piece)
            if total > LIMIT:
                raise TooLarge
            yield piece
            if decompressor and decompressor.eof:
                return
    if decompressor and not decompressor.eof:
        raise Truncated("the compressed stream has no end")
