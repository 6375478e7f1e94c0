"""Rename models in configs and code, and drop environments, by edits at positions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from slipway.check.finding import Edit
from slipway.check.fix.edits import edited
from slipway.check.foreign.calls import NamedModel
from slipway.check.foreign.config_text import ENVIRONMENT, ConfigText
from slipway.check.python.code import UTILS
from slipway.triton.pbtxt import FieldPath, Span

ENTRY_POINT, INITIALIZE = "TritonPythonModel", "initialize"


def edit_config(
    config: ConfigText, name: str, new_names: Mapping[str, str], *, calls_models: bool
) -> str:
    """Return the text of a config for the model ``name``; the rest keeps its comments and format.

    Its name and those of the steps are the new ones, and it names no environment. Where the model
    ``calls_models``, parameters that hold the name of one are changed as well.
    """
    edits = list(_config_edits(config, name, new_names, calls_models))
    return edited(config.text, dict.fromkeys(edits))


def _config_edits(
    config: ConfigText, name: str, new_names: Mapping[str, str], calls_models: bool
) -> Iterator[Edit]:
    fields = config.fields
    if ("name",) in fields.spans:
        yield _value(config, ("name",), name)
    for path in fields.spans:
        if path[0] == "ensemble_scheduling" and path[-1] == "model_name":
            step = new_names.get(config.string(path))
            if step is not None:
                yield _value(config, path, step)
        elif path[0] == "parameters" and path[-1] == "string_value" and calls_models:
            called = new_names.get(config.string(path))
            if called is not None:
                yield _value(config, path, called)
    entry: FieldPath = ("parameters", ENVIRONMENT)
    if entry in fields.spans:
        yield _removal(config, fields.spans[entry])


def _value(config: ConfigText, path: FieldPath, value: str) -> Edit:
    span = config.fields.spans[path]
    return Edit(config.path, span.value, span.end, f'"{value}"')


def _removal(config: ConfigText, span: Span) -> Edit:
    """Return the edit that removes a map's entry, with its comma and the lines that it fills."""
    text = config.text
    in_list = "[" in text[span.start : span.value] or text[span.start] in "{<"
    start, end = (span.value if in_list else span.start), span.end
    comma = re.compile(r"\s*[,;]").match(text, end)
    if comma:
        end = comma.end()
    elif in_list and (before := re.search(r",\s*$", text[:start])):
        start = before.start()
    line = text.rfind("\n", 0, start) + 1
    rest = re.compile(r"[ \t]*(#[^\n]*)?(\n|$)").match(text, end)
    if not text[line:start].strip() and rest:
        return Edit(config.path, line, rest.end(), "")
    return Edit(config.path, start, end, "")


def edit_code(
    text: str, file: Path, named: Iterable[NamedModel], new_names: Mapping[str, str]
) -> str:
    """Return the text of a Python file in which models have their new names."""
    edits = [
        Edit(file, place.start, place.end, new_names[place.name])
        for place in named
        if place.file == file and place.name in new_names
    ]
    return edited(text, dict.fromkeys(edits))


def load_called_models(text: str, names: Iterable[str]) -> str | None:
    """Return a model's code whose ``initialize`` loads the models ``names``.

    An endpoint loads an ensemble's steps only. ``None`` where the code has no class of that kind,
    or does not import Triton's utilities by a name.
    """
    tree = ast.parse(text)
    utils = _utilities(tree)
    entry = next(
        (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == ENTRY_POINT), None
    )
    if utils is None or entry is None:
        return None
    lines = text.splitlines(keepends=True)
    initialize = next(
        (n for n in entry.body if isinstance(n, ast.FunctionDef) and n.name == INITIALIZE), None
    )
    body = initialize.body if initialize is not None else entry.body
    first = body[1] if _is_docstring(body[0]) and len(body) > 1 else body[0]
    if first.lineno == (initialize or entry).lineno:
        return None  # all of it on one line
    above = first.lineno
    if isinstance(first, ast.FunctionDef | ast.ClassDef) and first.decorator_list:
        above = first.decorator_list[0].lineno
    indent = " " * first.col_offset
    calls = [f'{utils}.load_model("{name}")\n' for name in names]
    if initialize is None:
        calls = ["def initialize(self, args):\n", *(f"    {call}" for call in calls)]
    added = [indent + call for call in calls] + (["\n"] if initialize is None else [])
    if _is_docstring(body[0]) and len(body) == 1:
        lines.insert(body[0].end_lineno or len(lines), "".join(added))
    else:
        lines.insert(above - 1, "".join(added))
    return "".join(lines)


def _utilities(tree: ast.Module) -> str | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == UTILS:
                    return alias.asname or UTILS
    return None


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
