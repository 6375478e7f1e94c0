"""Read each file once in a step in which nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any

LIMIT = 64  # results of each function: those of the latest models, so that memory is bounded

_results: ContextVar[dict[Any, dict[Any, Any]] | None] = ContextVar("results", default=None)


@contextmanager
def files_unchanged() -> Iterator[None]:
    """Remember what each function that is :func:`remembered` returns, until the block ends.

    A block inside of another one shares what that remembers.
    """
    if _results.get() is not None:
        yield
        return
    token = _results.set({})
    try:
        yield
    finally:
        _results.reset(token)


def remembered[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Let a function of paths be called once for equal arguments while files are unchanged.

    All callers get the same object, and must not change it. An exception is not remembered.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        memory = _results.get()
        if memory is None:
            return function(*args, **kwargs)
        results = memory.setdefault(function, {})
        key = (args, tuple(kwargs.items()))
        if key not in results:
            result = function(*args, **kwargs)
            if len(results) >= LIMIT:
                del results[next(iter(results))]  # the oldest
            results[key] = result
        value: R = results[key]
        return value

    return call


@remembered
def read_bytes(file: Path) -> bytes:
    """Return the content of a file."""
    return file.read_bytes()


def read_text(file: Path) -> str:
    """Return the text of a file, with U+FFFD for what is not UTF-8, and ``\\n`` ends its lines."""
    text = read_bytes(file).decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
