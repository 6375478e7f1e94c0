"""A Python file of a model, parsed once with all files of an equal text."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from slipway.check.syntax_index import SyntaxIndex

KEPT_TREES = 32  # of syntax: those of the latest models, so that memory is bounded


@dataclass(frozen=True, eq=False)
class PythonFile:
    """One Python file of a model; ``tree`` is ``None`` where ``problem`` gives the reason."""

    path: Path
    text: str
    tree: ast.Module | None
    problem: tuple[int, int, str] | None

    @property
    def index(self) -> SyntaxIndex:
        """Return the nodes of the tree, which is walked once."""
        assert self.tree is not None
        return _index_of(self.tree)


def parse_python(path: Path, copies: Counter[str] | None = None) -> PythonFile:
    """Return a Python file with its tree, or with the problem why it has none.

    Many models have the same code. Files of equal texts share a tree where ``copies`` counts the
    texts of one model folder: in a folder, a node belongs to one file.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if copies is None:
            return PythonFile(path, text, ast.parse(text), None)
        copies[text] += 1
        return PythonFile(path, text, _parse(text, copies[text]), None)
    except UnicodeDecodeError as error:
        return PythonFile(path, "", None, (0, 0, f"not UTF-8 text: {error.reason}"))
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", 0) or 0, getattr(error, "offset", 0) or 0
        reason = getattr(error, "msg", None) or str(error)
        return PythonFile(path, "", None, (line, column, reason))


@lru_cache(maxsize=KEPT_TREES)
def _parse(text: str, _copy: int) -> ast.Module:
    return ast.parse(text)


@lru_cache(maxsize=KEPT_TREES)
def _index_of(tree: ast.Module) -> SyntaxIndex:
    return SyntaxIndex(tree)
