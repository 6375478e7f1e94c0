"""Mistakes in the code of ``model.py``: what people forget, swap, misspell or leave out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.check.mutation.mistake import misspell, relative_name

UTILS = "pb_utils"
# without these methods' calls, the code may still be valid Python
CONVERSIONS = ("astype", "as_numpy", "reshape", "encode", "decode", "tolist", "copy", "item")
TYPES = """float64 float16 float32 int64 int32 uint8 bool_ object_ str_""".split()
LONGEST = 60  # characters of a change in its description
ITEMS = ("0", "1", "-1")

type Edit = tuple[str, int, int, str]
"""What changes, the text's first and last offset, and the new text."""
type Finder = Callable[["Code", Random], Iterator[Edit]]


class Code:
    """The syntax tree of a text, with the offsets of its nodes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._lines = [0]
        for line in text.encode().splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return the first and last offset of a node, in bytes."""
        assert isinstance(node, ast.expr | ast.stmt | ast.keyword)
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        return start, self._lines[node.end_lineno - 1] + node.end_col_offset

    def source(self, node: ast.AST) -> str:
        """Return the text of a node."""
        start, end = self.span(node)
        return self.text.encode()[start:end].decode()

    def replace(self, node: ast.AST, new: str) -> Edit:
        """Return the edit that replaces a node."""
        old, short = (" ".join(text.split())[:LONGEST] for text in (self.source(node), new))
        return (f"{old} → {short}", *self.span(node), new)

    def nodes[N: ast.AST](self, kind: type[N]) -> Iterator[N]:
        """Yield all nodes of a kind."""
        for node in ast.walk(self.tree):
            if isinstance(node, kind):
                yield node


def returned(folder: Path, random: Random) -> str | None:
    """Forget what a function returns, or return one response of the list."""
    return _edit_one(folder, random, _returned)


def wrapped(folder: Path, random: Random) -> str | None:
    """Remove the list around its elements, or one of the elements."""
    return _edit_one(folder, random, _wrapped)


def swapped(folder: Path, random: Random) -> str | None:
    """Swap two arguments of a call, or leave one out."""
    return _edit_one(folder, random, _swapped)


def converted(folder: Path, random: Random) -> str | None:
    """Remove a conversion: ``.astype(…)``, ``.as_numpy()``, ``.reshape(…)``, ``.encode()``."""
    return _edit_one(folder, random, _converted)


def typed(folder: Path, random: Random) -> str | None:
    """Change one of numpy's types, or leave out ``dtype=``."""
    return _edit_one(folder, random, _typed)


def named(folder: Path, random: Random) -> str | None:
    """Misspell an attribute, a method, a tensor or a variable."""
    return _edit_one(folder, random, _named)


def indexed(folder: Path, random: Random) -> str | None:
    """Change an index, or leave it out."""
    return _edit_one(folder, random, _indexed)


def _edit_one(folder: Path, random: Random, find: Finder) -> str | None:
    paths = sorted(folder.glob("*/*/model.py"))
    if not paths:
        return None
    path = random.choice(paths)
    code = Code(path.read_text(encoding="utf-8"))
    edits = list(find(code, random))
    if not edits:
        return None
    what, start, end, new = random.choice(edits)
    content = code.text.encode()
    changed = content[:start] + new.encode() + content[end:]
    if changed == content:
        return None
    path.write_bytes(changed)
    line = content[:start].count(b"\n") + 1
    return f"{relative_name(path, folder)}:{line}: {what}"


def _returned(code: Code, random: Random) -> Iterator[Edit]:
    for node in code.nodes(ast.Return):
        if node.value is None:
            continue
        yield code.replace(node, "return")
        yield code.replace(node, code.source(node.value))
        if isinstance(node.value, ast.ListComp):
            yield code.replace(node.value, f"{code.source(node.value)}[0]")
            yield code.replace(node.value, f"({code.source(node.value)[1:-1]})")
        elif isinstance(node.value, ast.Name | ast.List):
            yield code.replace(node.value, f"{code.source(node.value)}[0]")
            yield code.replace(node.value, f"[{code.source(node.value)}]")
    for call in code.nodes(ast.Call):
        # the last of a loop's statements, one level too shallow or too deep, comes to the same
        if isinstance(call.func, ast.Attribute) and call.func.attr == "append":
            yield code.replace(
                call, f"{code.source(call.func.value)} = {code.source(call.args[0])}"
            )
            yield code.replace(call, "pass")


def _wrapped(code: Code, random: Random) -> Iterator[Edit]:
    for node in code.nodes(ast.List):
        if not isinstance(node.ctx, ast.Load):
            continue
        if len(node.elts) == 1:
            yield code.replace(node, code.source(node.elts[0]))
        for left_out in node.elts if len(node.elts) > 1 else ():
            rest = [code.source(element) for element in node.elts if element is not left_out]
            yield code.replace(node, f"[{', '.join(rest)}]")
        for element in node.elts:
            yield code.replace(element, f"[{code.source(element)}]")


def _swapped(code: Code, random: Random) -> Iterator[Edit]:
    for call in code.nodes(ast.Call):
        sources = [code.source(argument) for argument in call.args]
        if len(sources) != len(call.args) or not _is_of_a_library(call.func):
            continue
        keywords = [code.source(keyword) for keyword in call.keywords]
        if len(sources) == 2:
            text = ", ".join([sources[1], sources[0], *keywords])
            yield code.replace(call, f"{code.source(call.func)}({text})")
        if len(sources) > 1:
            yield code.replace(call, f"{code.source(call.func)}({', '.join(sources[:-1])})")


def _converted(code: Code, random: Random) -> Iterator[Edit]:
    for call in code.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in CONVERSIONS:
            yield code.replace(call, code.source(call.func.value))


def _typed(code: Code, random: Random) -> Iterator[Edit]:
    for node in code.nodes(ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "np" and node.attr in TYPES:
            for new in random.sample([name for name in TYPES if name != node.attr], 2):
                yield code.replace(node, f"np.{new}")
    for call in code.nodes(ast.Call):
        kept = [keyword for keyword in call.keywords if keyword.arg != "dtype"]
        if len(kept) != len(call.keywords):
            rest = ", ".join(code.source(node) for node in [*call.args, *kept])
            yield code.replace(call, f"{code.source(call.func)}({rest})")


def _named(code: Code, random: Random) -> Iterator[Edit]:
    for node in code.nodes(ast.Attribute):
        yield code.replace(node, f"{code.source(node.value)}.{misspell(node.attr, random)}")
    for constant in code.nodes(ast.Constant):
        value = constant.value
        if isinstance(value, str) and value.isidentifier() and value.isupper():
            yield code.replace(constant, f'"{misspell(value, random)}"')
    for name in code.nodes(ast.Name):
        if isinstance(name.ctx, ast.Load):
            yield code.replace(name, misspell(name.id, random))


def _indexed(code: Code, random: Random) -> Iterator[Edit]:
    for node in code.nodes(ast.Subscript):
        if (
            not isinstance(node.ctx, ast.Load)
            or isinstance(node.value, ast.Name)
            and node.value.id
            in (
                "list",
                "dict",
            )
        ):
            continue
        value = code.source(node.value)
        yield code.replace(node, value)
        keys = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for key in keys:
            for new in ITEMS:
                yield code.replace(key, new)
        if len(keys) > 1:
            yield code.replace(node, f"{value}[{code.source(keys[0])}]")
        else:
            yield code.replace(node, f"{value}[0]")


def _is_of_a_library(function: ast.expr) -> bool:
    while isinstance(function, ast.Attribute):
        function = function.value
    return isinstance(function, ast.Name) and function.id in (UTILS, "np")
