"""SW506: names that nothing defines."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.bound_names import all_certainly_bound
from slipway.check.python.code import PythonCode
from slipway.check.python.model import python_models
from slipway.check.python_file import KEPT_TREES
from slipway.check.rule import rule
from slipway.check.syntax_index import SyntaxIndex

# by what they are known in models, for the fix
KNOWN = {
    "np": "import numpy as np",
    "pb_utils": "import triton_python_backend_utils as pb_utils",
    "pd": "import pandas as pd",
    "plt": "import matplotlib.pyplot as plt",
    "cv2": "import cv2",
    "Image": "from PIL import Image",
}
# these define names that no reader of the text can know
DYNAMIC = {"exec", "globals"}
LOADED = ("initialize", "auto_complete_config")  # what the server calls before any request


@rule(
    "SW506",
    "undefined-name",
    reason="the load, or each request that reaches the line, fails: NameError",
    source="pyflakes (undefined name), and seen on 24.10",
)
def undefined_name(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find names that no import, assignment or builtin defines, at their first use in a module."""
    seen: set[tuple[Path, str]] = set()
    for python_model in python_models(model):
        for code in python_model.sources:
            for node in _undefined(code):
                if not python_model.takes_requests and not _is_loaded(code, node):
                    continue
                if (code.path, node.id) not in seen:
                    seen.add((code.path, node.id))
                    location = code.location(node)
                    yield RuleHit(location, f"{node.id!r} is not defined", _fix(node.id))


def _undefined(code: PythonCode) -> Iterator[ast.Name]:
    # pyflakes knows more names in an __init__.py
    for node in _undefined_in(code.index, code.path.name):
        if not _is_never_evaluated(code, node):
            yield node


@lru_cache(maxsize=KEPT_TREES)
def _undefined_in(index: SyntaxIndex, file_name: str) -> list[ast.Name]:
    if DYNAMIC & index.names.keys() or all_certainly_bound(index):
        return []
    from pyflakes import checker, messages

    found = checker.Checker(index.root, file_name).messages
    places = {
        (message.lineno, message.col, message.message_args[0])
        for message in found
        if isinstance(message, messages.UndefinedName)
    }
    return [
        node
        for node in sorted(index.of(ast.Name), key=lambda node: (node.lineno, node.col_offset))
        if (node.lineno, node.col_offset, node.id) in places
    ]


def _is_loaded(code: PythonCode, node: ast.AST) -> bool:
    """Return whether a node is evaluated when the model is loaded, without a request."""
    function = code.function_of(node)
    return getattr(function, "name", LOADED[0]) in LOADED


def _is_never_evaluated(code: PythonCode, node: ast.AST) -> bool:
    """Return whether a node is in an annotation that Python does not evaluate."""
    postponed = "annotations" in code.names and code.names["annotations"].startswith("__future__.")
    while node in code.parents:
        parent = code.parents[node]
        if isinstance(parent, ast.arg) or (
            isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and node is parent.returns
        ):
            return postponed
        if isinstance(parent, ast.AnnAssign) and node is parent.annotation:
            return postponed or code.function_of(parent) is not code.tree
        node = parent
    return False


def _fix(name: str) -> str:
    if name in KNOWN:
        return f"add {KNOWN[name]}"
    if name in sys.stdlib_module_names:
        return f"add import {name}"
    return f"define {name}, or correct its spelling"
