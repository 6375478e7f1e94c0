"""Errors for users: what is wrong, where, and how to fix it."""

from __future__ import annotations


class SlipwayError(Exception):
    """An error that the user can fix: the command line prints it and exits with 1.

    ``where`` is a path, with ``:line`` or ``:line:column`` where they are known.
    """

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\nfix: {self.fix}" if self.fix else text
