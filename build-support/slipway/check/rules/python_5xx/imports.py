"""SW52x: what Python models import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.check.finding import Found
from slipway.check.import_names import DISTRIBUTIONS, SAME_NAME
from slipway.check.python_code import UTILS, Code, python_models
from slipway.check.python_imports import Import, first, imports, is_local, is_module
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.environment import modules
from slipway.environment.lock import named, pins

STUB = "seen on 24.10; Triton's Python backend, pb_stub.cc (StubSetup)"
OWN = {UTILS, "c_python_backend_utils"}


@rule(
    "SW521",
    "missing-package",
    reason="the load fails, or the request that comes by: ModuleNotFoundError",
    source=STUB,
)
def missing_package(subject: Subject) -> Iterator[Found]:
    """A package that is not in the lock."""
    for each in _unresolved(subject):
        brings = _brings(each.name)
        if brings:
            yield Found(
                each.code.place(each.node),
                f"{each.name!r} comes with {brings[0]}, which is not locked",
                f"add {brings[0]} to requirements.txt, then slipway lock {subject.folder}",
            )
        elif modules.modules(subject.lock, subject.settings) is not None:
            yield Found(
                each.code.place(each.node),
                f"no module {each.top!r}: neither in the environment nor in the model",
                f"add the package that has it to requirements.txt, then slipway lock"
                f" {subject.folder}; or correct the name",
            )


@rule(
    "SW522",
    "unknown-module",
    reason="if no locked package brings it, the load fails: ModuleNotFoundError",
    source=STUB,
    severity="warning",
)
def unknown_module(subject: Subject) -> Iterator[Found]:
    """A module of which it is not known whether a locked package brings it."""
    if modules.modules(subject.lock, subject.settings) is not None:
        return
    for each in _unresolved(subject):
        if not _brings(each.name):
            yield Found(
                each.code.place(each.node),
                f"no locked package is called {each.top!r}, and no file of the model",
                f"slipway environment build {subject.lock} tells whether one brings it;"
                " or correct the name",
            )


@rule(
    "SW523",
    "not-in-environment",
    reason="the load fails: ModuleNotFoundError",
    source="Slipway packs environments without tests, installers and windows (environment/stdlib.py)",
)
def not_in_environment(subject: Subject) -> Iterator[Found]:
    """A module of the standard library that environments do not have."""
    for model in python_models(subject):
        for each in first(imports(model)):
            if not each.level and modules.left_out(each.top) and not is_local(each, model):
                yield Found(
                    each.code.place(each.node),
                    f"environments have no {each.top!r}",
                    "do without it",
                )


@rule(
    "SW524",
    "relative-import",
    reason="the load fails: “attempted relative import beyond top-level package”, or no such module",
    source="seen on 24.10: the version directory is the package",
)
def relative_import(subject: Subject) -> Iterator[Found]:
    """A relative import of what is not in the version directory."""
    for model in python_models(subject):
        for each in first(imports(model)):
            if not each.level or each.name in ("", "*"):
                continue
            folder = each.code.path.parent
            for _ in range(each.level - 1):
                folder = folder.parent
            top = model.config.directory
            inside = folder != top and folder.is_relative_to(top)
            # a package may define the name itself
            defined = _names_only(each.node) and (folder / "__init__.py").is_file()
            if inside and (defined or is_module(folder, each.top)):
                continue
            yield Found(
                each.code.place(each.node),
                (
                    f"no module {each.top!r} in {folder}/"
                    if inside
                    else f"{'.' * each.level}{each.name} is outside the version directory"
                ),
                "import a module beside model.py by its plain name",
            )


@rule(
    "SW525",
    "shadowed-module",
    reason="the model's own folders come last: the module that is found first is another one",
    source=STUB,
    severity="warning",
)
def shadowed_module(subject: Subject) -> Iterator[Found]:
    """A module of the model called as one of the standard library or of a locked package."""
    library = modules.standard_library(subject.settings.python)
    locked = {canonicalize_name(name).replace("-", "_") for name in _locked(subject)}
    taken = library | locked
    for model in python_models(subject):
        for each in first(imports(model)):
            other = "the standard library" if each.top in library else "a locked package"
            if not each.level and each.top in taken and is_local(each, model):
                yield Found(
                    each.code.place(each.node),
                    f"{each.top!r} is of {other}, not the model's own {each.top}.py",
                    f"give {each.top}.py another name",
                )


def _unresolved(subject: Subject) -> list[Import]:
    """The imports that neither Python nor the model, nor a locked package of that name, has."""
    locked = _locked(subject)
    built = modules.modules(subject.lock, subject.settings) or frozenset()
    there = modules.standard_library(subject.settings.python) | OWN | built
    # one for each module and package: the first of its imports
    found: dict[tuple[Path, tuple[str, ...]], Import] = {}
    for model in python_models(subject) if locked else ():
        own_path = any(_changes_path(code) for code in model.codes)
        for each in first(imports(model)):
            known = each.top in there or modules.left_out(each.top)
            if each.level or known or is_local(each, model) or each.top == "__future__":
                continue
            if own_path and not _brings(each.name):
                continue
            if not _is_locked(each.name, locked):
                found.setdefault((each.code.path, _brings(each.name) or (each.top,)), each)
    return list(found.values())


def _changes_path(code: Code) -> bool:
    """Whether it has to do with where Python looks for modules."""
    return any(
        isinstance(node, ast.Attribute) and code.origin(node) == "sys.path" for node in code.nodes
    )


def _is_locked(name: str, locked: set[str]) -> bool:
    brings = _brings(name) or (name.partition(".")[0],)
    if any(canonicalize_name(each) in locked for each in brings):
        return True
    # a package of many distributions: google-cloud-storage brings google.cloud.storage
    top = canonicalize_name(name.partition(".")[0])
    return not _brings(name) and any(each.startswith(f"{top}-") for each in locked)


def _brings(name: str) -> tuple[str, ...]:
    """The distributions that bring a module, the usual one first; none where that is not known."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        found = DISTRIBUTIONS.get(".".join(parts[:end]))
        if found:
            return found
    return (canonicalize_name(parts[0]),) if parts[0] in SAME_NAME else ()


@lru_cache(maxsize=1)  # of the folder that is looked at
def _locked(subject: Subject) -> set[str]:
    """What is locked; and what is asked for, which a lock that is not current may lack."""
    if not subject.lock.is_file():
        return set()
    return {*(name for name, _ in pins(subject.lock)), *named(subject.requirements)}


def _names_only(node: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module is None
