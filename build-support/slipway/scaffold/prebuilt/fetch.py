"""Fetch the package of a prebuilt model, and unpack its wheel."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.environment.packages import uv_program
from slipway.errors import SlipwayError

MISMATCH = re.compile(r"Hash mismatch for `([^`]+)`")


@contextmanager
def fetched(lock: Path) -> Iterator[Path]:
    """Yield a folder with the files of the wheels of ``lock``; it is gone afterwards.

    No code of a package runs. uv only unpacks wheels. Nothing is compiled, since that would start
    a Python in an environment of theirs, whose ``.pth`` files are code.

    Raises:
        SlipwayError: the index is out of reach, or has no such wheel; a file is not the locked one.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-prebuilt-") as folder:
        argv: list[str | Path] = [
            *("pip", "install", "--quiet", "--target", folder, "--python", sys.executable),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", lock),
        ]
        try:
            uv_program(argv, what=f"fetching the package of {lock.stem}")
        except SlipwayError as error:
            mismatch = MISMATCH.search(error.what)
            what = f"{mismatch[1]} on the index is not the locked file" if mismatch else error.what
            fix = (
                "find out why it changed" if mismatch else "reach the package index, and try again"
            )
            raise SlipwayError(what, where=str(lock), fix=fix) from error
        yield Path(folder)
