"""Where in a model's code an operation stands, and the error of one that cannot be folded."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from slipway.errors import SlipwayError


class Unfoldable(Exception):
    """An operation that has no equal in a graph; ``fix`` is what to write instead.

    It passes through numpy and the model's own code, and becomes a ``SlipwayError`` with its place.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


def current_place(folder: Path) -> str:
    """Return file and line of the innermost call from the code in ``folder``, or ""."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(f"{folder}/"):
            return f"{Path(file).relative_to(folder)}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]  # None at the outermost
    return ""


def located(error: Exception, folder: Path) -> Exception:
    """Return what the code in ``folder`` raised as an error with its file and line.

    What was raised elsewhere is a mistake of ours, and returned as it is.
    """
    inside = [
        entry
        for entry in traceback.extract_tb(error.__traceback__)
        if entry.filename.startswith(f"{folder}/")
    ]
    if not inside and not isinstance(error, Unfoldable):
        return error
    where = f"{inside[-1].filename}:{inside[-1].lineno}" if inside else str(folder)
    if isinstance(error, Unfoldable):
        return SlipwayError(f"cannot be folded: {error.what}", where=where, fix=error.fix)
    return SlipwayError(
        f"cannot be folded: {type(error).__name__}: {error}",
        where=where,
        fix="it runs once with symbols in the place of the tensors: write it as operations of numpy"
        " on whole arrays, or leave this model as it is",
    )
