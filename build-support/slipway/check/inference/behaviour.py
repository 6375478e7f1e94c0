"""What the Python models of a folder do, interpreted once for all rules."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator
from functools import lru_cache
from pathlib import Path

from slipway.check.inference.events import Behaviour
from slipway.check.inference.interpreter.interpreter import Interpreter
from slipway.check.inference.triton_config import TritonConfig
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import PythonCode
from slipway.check.python.model import PythonModel, auto_completed, models_with_requests
from slipway.check.python.numpy_version import has_numpy_2

KEPT = 32  # behaviours of the latest models, so that memory is bounded; equal models share one

_kept: dict[Hashable, tuple[tuple[PythonCode, ...], Behaviour]] = {}


def behaviours(model: ModelUnderCheck) -> Iterator[tuple[PythonModel, Behaviour]]:
    """Yield the Python models that requests can reach, with what their code does."""
    yield from _behaviours(model)


def given_up_files(model: ModelUnderCheck) -> list[Path]:
    """Return the files of a folder whose code was too long to interpret: no rule has seen it."""
    return [
        entry.path
        for python_model, behaviour in behaviours(model)
        for entry in python_model.entries
        if behaviour.is_given_up
    ]


@lru_cache(maxsize=1)  # all rules of one folder share it, then those of the next folder
def _behaviours(model: ModelUnderCheck) -> list[tuple[PythonModel, Behaviour]]:
    numpy_2 = has_numpy_2(model.lock)
    models = models_with_requests(model)
    return [(python_model, interpret(python_model, numpy_2=numpy_2)) for python_model in models]


def interpret(python_model: PythonModel, *, numpy_2: bool | None = None) -> Behaviour:
    """Return what a model's code does, with numpy 2 or 1, or ``None`` where that is not known."""
    paths = {entry.path for entry in python_model.entries}
    entries = [code for code in python_model.sources if code.path in paths]
    if len(entries) != 1:
        return Behaviour(is_complete=False)
    key = _key(python_model, entries[0], numpy_2)
    if key in _kept:
        sources, behaviour = _kept[key]
        return behaviour.with_codes(dict(zip(sources, python_model.sources, strict=True)))
    config = TritonConfig(python_model.message, python_model, auto_completed(python_model))
    behaviour = Interpreter(python_model, entries[0], config, numpy_2).interpret()
    if not config.name.is_read:
        if len(_kept) >= KEPT:
            del _kept[next(iter(_kept))]  # the oldest
        _kept[key] = python_model.sources, behaviour
    return behaviour


def _key(python_model: PythonModel, entry: PythonCode, numpy_2: bool | None) -> Hashable:
    """Return all that an interpretation depends on, except for the name in the config.

    Modules of equal text share a tree. Their paths count from the model's directory, whose own name
    counts only for imports from around it.
    """
    directory = python_model.config.directory
    depth = len(directory.parts)
    message = type(python_model.message)()
    message.CopyFrom(python_model.message)
    message.ClearField("name")
    leads_out = any(
        node.level > 1 for code in python_model.sources for node in code.index.of(ast.ImportFrom)
    )
    return (
        tuple((code.path.parts[depth:], code.tree) for code in python_model.sources),
        entry.path.parts[depth:],
        message.SerializeToString(deterministic=True),
        numpy_2,
        directory if leads_out else None,
    )


def located(python_model: PythonModel, node: ast.expr) -> tuple[PythonCode, ast.expr]:
    """Return an expression with the module that it is in."""
    for code in python_model.sources:
        if node in code.parents:
            return code, node
    raise LookupError("an expression is of no module of the model")
