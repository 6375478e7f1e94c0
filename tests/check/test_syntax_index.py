"""The index of a syntax tree knows what ``ast.walk`` finds, in its order."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.check.syntax_index import SyntaxIndex

FIXTURES = Path(__file__).parent / "fixtures"
SHARED = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)


def _modules() -> Iterator[ast.Module]:
    for path in sorted(FIXTURES.rglob("*.py")):
        try:
            yield ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue  # a mistake of the fixture


def _walk(node: ast.AST) -> list[ast.AST]:
    return [node for node in ast.walk(node) if not isinstance(node, SHARED)]


def test_the_nodes_are_those_of_a_walk_without_contexts_and_operators() -> None:
    for module in _modules():
        index = SyntaxIndex(module)
        assert index.nodes == _walk(module)
        for kinds in ((ast.Name,), (ast.expr,), (ast.Import, ast.ImportFrom), (ast.Match,)):
            walked = [node for node in _walk(module) if isinstance(node, kinds)]
            assert index.of(*kinds) == walked


def test_what_is_within_a_function_is_what_a_walk_of_it_finds() -> None:
    for module in _modules():
        index = SyntaxIndex(module)
        for function in index.of(ast.FunctionDef):
            assert index.within(function).nodes == _walk(function)
            assert index.within(function) is index.within(function)
        assert index.within(module) is index


def test_a_parent_is_the_node_that_has_the_child() -> None:
    for module in _modules():
        index = SyntaxIndex(module)
        assert set(index.parents) == {*index.nodes} - {module}
        for child, parent in index.parents.items():
            assert child in ast.iter_child_nodes(parent)


@pytest.mark.parametrize(
    "source",
    [
        "match a:\n  case {'b': c, **d}: e",
        "type A[B] = C",
        "def a[*B, **C](d: E): F",
        "f'{a!r:{b}}'",
    ],
)
def test_no_kind_of_node_is_forgotten(source: str) -> None:
    module = ast.parse(source)
    assert SyntaxIndex(module).nodes == _walk(module)


def test_names_lead_to_their_uses() -> None:
    index = SyntaxIndex(ast.parse("def f(a):\n  b = [a]\n  b.append(a)\n  return b\nc = d = f(1)"))
    assert [node.lineno for node in index.names["b"]] == [2, 4, 3]
    assert [node.value.id for node in index.attributes["append"]] == ["b"]  # type: ignore[attr-defined]
    assert [function.name for function in index.functions["f"]] == ["f"]
    assert index.assigned["c"] == index.assigned["d"]
    assert "a" not in index.assigned
