"""Where Python code names another model: in calls (BLS), by a literal or by a constant."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.check.finding import Location
from slipway.check.python.code import PythonCode, analyse, argument, dotted
from slipway.check.python.names import texts
from slipway.check.python_file import PythonFile

# the functions of pb_utils that take a model's name, and its position among their arguments
NAMING_CALLS = {"InferenceRequest": 4, "load_model": 0, "unload_model": 0, "is_model_ready": 0}


@dataclass(frozen=True)
class ModelNames:
    """``positions`` are file, start and end of the literals that name the model in calls.

    ``uncertain`` are calls whose model is not known, and other literals that hold the name.
    """

    positions: tuple[tuple[Path, int, int], ...]
    uncertain: tuple[Location, ...]


def find_model_names(
    files: Sequence[PythonFile], name: str, *, ignored: Collection[str] = ()
) -> ModelNames:
    """Return where the files of one model name the model ``name``.

    Literals that are equal to one of ``ignored``, the tensors' names, are not suspected.
    """
    sources = [analyse(file) for file in files if file.tree is not None]
    by_path = {file.path: file.text for file in files}
    uncertain = [Location(file.path) for file in files if file.tree is None]
    literals: dict[ast.Constant, PythonCode] = {}
    for code in sources:
        for function, call in code.calls(*NAMING_CALLS):
            named = argument(call, NAMING_CALLS[function], "model_name")
            found = _literals(code, named, sources)
            if found is None:
                uncertain.append(code.location(call))
            literals |= dict(found or ())
    chosen = {node: code for node, code in literals.items() if node.value == name}
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")
    for code in sources:
        for node in _suspects(code, literals):
            text = str(node.value)
            if text not in ignored and word.search(text):
                uncertain.append(code.location(node))
    positions = {
        (code.path, *_span(by_path[code.path], node)): None for node, code in chosen.items()
    }
    return ModelNames(tuple(positions), tuple(dict.fromkeys(uncertain)))


def _literals(
    code: PythonCode, node: ast.expr | None, sources: Sequence[PythonCode]
) -> list[tuple[ast.Constant, PythonCode]] | None:
    """Return the literals that an expression may be; ``None`` if one is not known."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [(node, code)]
    if node is not None and code.text(node) is not None:
        return [(value, code) for value in _assigned(code, dotted(node))]
    found = []
    for named in texts(code, node, sources, all_known=True):
        found += _literals(named.code, named.node, sources) or []
    return found or None


def _assigned(code: PythonCode, name: str) -> Iterator[ast.Constant]:
    """Yield the string that the constant ``name`` is given, which happens once."""
    for node in code.index.of(ast.Assign, ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        prefix = "self." if isinstance(code.parents.get(node), ast.ClassDef) else ""
        named = any(prefix + dotted(target) == name for target in targets)
        if named and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def _suspects(code: PythonCode, known: Collection[ast.Constant]) -> Iterator[ast.Constant]:
    """Yield the strings that are neither ``known`` nor documentation."""
    for node in code.index.of(ast.Constant):
        if isinstance(node.value, str) and node not in known:
            is_documentation = isinstance(code.parents.get(node), ast.Expr)
            yield from () if is_documentation else (node,)


def _span(text: str, node: ast.Constant) -> tuple[int, int]:
    """Return the offsets of a literal, whose columns in the tree count bytes of UTF-8."""
    assert node.end_lineno is not None and node.end_col_offset is not None
    lines = text.split("\n")
    ends = []
    for line, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)):
        before = sum(len(each) + 1 for each in lines[: line - 1])
        ends.append(before + len(lines[line - 1].encode()[:column].decode()))
    return ends[0], ends[1]
