"""A module whose names are certainly bound has no undefined name, by pyflakes' own account."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest
from pyflakes import checker, messages

from slipway.check.python.bound_names import all_certainly_bound
from slipway.check.syntax_index import SyntaxIndex

# as pyflakes reports them in a text, all are bound where they are used
CERTAIN = [
    "import a.b\na.b.c()",
    "def f(x, *y, z=1, **w):\n  return x, y, z, w, A\nA = 1",
    "def f():\n  for i in range(3):\n    print(i)\n  with open(i) as g:\n    g.read()",
    "def f(n):\n  return [a + b for a in n for b in a if b], {k: v for k, v in n}",
    "def f():\n  a = 1\n  def g():\n    return a + b\n  b = 2\n  return g, lambda c: c + b",
    "class A:\n  b = 1\n  c = b\n  def d(self):\n    return A.b",
    "try:\n  import a\nexcept ImportError as error:\n  print(error)",
    "def f():\n  if (m := g()):\n    return m\ndef g():\n  return __file__",
]
# some of them are undefined, and of others it takes more than a glance to tell
UNCERTAIN = [
    "print(a)\na = 1",
    "def f():\n  print(a)\n  a = 1",
    "def f():\n  a = a",
    "def f():\n  for a in a:\n    pass",
    "x: int\ndef f():\n  return x",
    "class A:\n  b = A",
    "class A:\n  b = 1\n  def c(self):\n    return b",
    "class A:\n  b = 1\n  c = [b for _ in (1, 2)]",
    "def f(n):\n  return [a for b in a for a in n]",
    "def f(n):\n  return [b for b in n], b",
    "try:\n  f = 1\nexcept OSError as error:\n  f = 2\nprint(error)",
    "a = 1\ndel a\nprint(a)",
    "a += 1",
    "def f(a=b):\n  b = 1",
    "def f():\n  def g():\n    h = 1\n  return h",
    "print(lambda a: a, a)",
    "from a import *\nb()",
]


@pytest.mark.parametrize("text", CERTAIN)
def test_a_name_that_is_plainly_bound_is_certain(text: str) -> None:
    assert _is_certain(text)
    assert _undefined(text) == []


@pytest.mark.parametrize("text", UNCERTAIN)
def test_any_other_is_left_to_pyflakes(text: str) -> None:
    assert not _is_certain(text)


def test_pyflakes_finds_nothing_in_what_is_certain() -> None:
    """Python's own modules: nobody wrote them for this check."""
    certain = 0
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if _is_certain(text):
            certain += 1
            assert _undefined(text) == [], path
    assert certain > 40


def _is_certain(text: str) -> bool:
    return all_certainly_bound(SyntaxIndex(ast.parse(text)))


def _undefined(text: str) -> list[str]:
    tree = ast.parse(text)
    nodes = SyntaxIndex(tree).of(ast.Name)
    places = {(node.lineno, node.col_offset, node.id) for node in nodes}
    found = checker.Checker(tree).messages
    return [
        str(message)
        for message in found
        if isinstance(message, messages.UndefinedName)
        and (message.lineno, message.col, message.message_args[0]) in places
    ]
