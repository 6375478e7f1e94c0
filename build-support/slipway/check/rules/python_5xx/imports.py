"""SW52x: the imports of Python models."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.check.finding import Edit, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import PythonCode
from slipway.check.python.imports import Import, has_module, is_local, required_imports
from slipway.check.python.known_modules import (
    available_modules,
    distributions_of,
    is_locked,
    locked_packages,
)
from slipway.check.python.model import python_models
from slipway.check.rule import rule
from slipway.check.rules.python_5xx.shared_imports import missing_in_shared_code
from slipway.environment import modules

STUB = "seen on 24.10; Triton's Python backend, pb_stub.cc (StubSetup)"


@rule(
    "SW521",
    "missing-package",
    scope="slipway",
    reason="the load fails, or the request that runs the import: ModuleNotFoundError",
    source=STUB,
)
def missing_package(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find packages that are not in the lock."""
    added: set[str] = set()
    for statement in _unresolved(model):
        distributions = distributions_of(statement.name)
        if distributions:
            new = distributions[0] not in added
            added.add(distributions[0])
            yield RuleHit(
                statement.code.location(statement.node),
                f"{statement.name!r} is part of {distributions[0]}, which is not locked",
                f"add {distributions[0]} to requirements.txt, then slipway lock {model.folder}",
                _requirement_added(model, distributions[0]) if new else (),
            )
        elif modules.importable_modules(model.lock, model.settings) is not None:
            yield RuleHit(
                statement.code.location(statement.node),
                f"no module {statement.top!r}: neither in the environment nor in the model",
                f"add the package that has it to requirements.txt, then slipway lock"
                f" {model.folder}; or correct the name",
            )
    yield from missing_in_shared_code(model)


def _requirement_added(model: ModelUnderCheck, package: str) -> tuple[Edit, ...]:
    """Return the edit that adds a line to ``requirements.txt``; SW603 then locks it."""
    if not model.requirements.is_file():
        return ()
    text = model.requirements.read_text(encoding="utf-8", errors="replace")
    start = "" if text.endswith("\n") or not text else "\n"
    return (Edit(model.requirements, len(text), len(text), f"{start}{package}\n"),)


@rule(
    "SW522",
    "unknown-module",
    scope="slipway",
    reason="if no locked package has it, the load fails: ModuleNotFoundError",
    source=STUB,
    severity="warning",
)
def unknown_module(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find modules that a locked package may or may not have."""
    if modules.importable_modules(model.lock, model.settings) is not None:
        return
    for statement in _unresolved(model):
        if not distributions_of(statement.name):
            yield RuleHit(
                statement.code.location(statement.node),
                f"no locked package and no file of the model is named {statement.top!r}",
                f"correct the name, or run slipway environment build {model.lock}:"
                " check then knows whether a package has it",
            )


@rule(
    "SW523",
    "not-in-environment",
    scope="slipway",
    reason="the load fails: ModuleNotFoundError",
    source="Slipway: environment/stdlib.py leaves out tests, installers and graphical modules",
)
def not_in_environment(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find modules of the standard library that environments do not have."""
    for python_model in python_models(model):
        for statement in required_imports(python_model.sources):
            if statement.level or not modules.is_left_out(statement.top):
                continue
            if not is_local(statement, python_model.config.directory):
                yield RuleHit(
                    statement.code.location(statement.node),
                    f"environments have no {statement.top!r}",
                    "remove the import",
                )


@rule(
    "SW524",
    "relative-import",
    reason="the load fails: “attempted relative import beyond top-level package”, or"
    " ModuleNotFoundError",
    source="seen on 24.10: the version directory is the package",
)
def relative_import(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find relative imports of modules that are not in the version directory."""
    for python_model in python_models(model):
        for statement in required_imports(python_model.sources):
            if not statement.level or statement.name in ("", "*"):
                continue
            folder = statement.code.path.parent
            for _ in range(statement.level - 1):
                folder = folder.parent
            directory = python_model.config.directory
            inside = folder != directory and folder.is_relative_to(directory)
            # a package may define the name itself
            defined = _names_only(statement.node) and (folder / "__init__.py").is_file()
            if inside and (defined or has_module(folder, statement.top)):
                continue
            yield RuleHit(
                statement.code.location(statement.node),
                (
                    f"no module {statement.top!r} in {folder}/"
                    if inside
                    else f"{'.' * statement.level}{statement.name} is outside the version directory"
                ),
                "import a module that is next to model.py by its plain name",
            )


@rule(
    "SW525",
    "shadowed-module",
    reason="the model's own folders are searched last, so another module of this name is imported",
    source=STUB,
    severity="warning",
)
def shadowed_module(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find modules of the model with the name of a standard or locked one."""
    library = modules.standard_library(model.settings.python)
    locked = {canonicalize_name(name).replace("-", "_") for name in locked_packages(model)}
    reserved = library | locked
    for python_model in python_models(model):
        directory = python_model.config.directory
        for statement in required_imports(python_model.sources):
            name = statement.top
            if not statement.level and name in reserved and is_local(statement, directory):
                owner = "the standard library" if name in library else "a locked package"
                yield RuleHit(
                    statement.code.location(statement.node),
                    f"{name!r} is imported from {owner}, not from the model's own {name}.py",
                    f"rename {name}.py",
                )


def _unresolved(model: ModelUnderCheck) -> list[Import]:
    """Return the imports that neither Python, nor the model, nor a locked package resolves."""
    locked = locked_packages(model)
    available = available_modules(model)
    # the first import for each module and package
    first: dict[tuple[Path, tuple[str, ...]], Import] = {}
    for python_model in python_models(model) if locked else ():
        changes_path = any(_changes_path(code) for code in python_model.sources)
        for statement in required_imports(python_model.sources):
            known = statement.top in available or modules.is_left_out(statement.top)
            if statement.level or known or is_local(statement, python_model.config.directory):
                continue
            distributions = distributions_of(statement.name)
            if changes_path and not distributions:
                continue
            if not is_locked(statement.name, locked):
                key = (statement.code.path, distributions or (statement.top,))
                first.setdefault(key, statement)
    return list(first.values())


def _changes_path(code: PythonCode) -> bool:
    """Return whether the code uses ``sys.path``, where Python looks for modules."""
    return any(code.origin(node) == "sys.path" for node in code.index.attributes.get("path", ()))


def _names_only(node: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module is None
