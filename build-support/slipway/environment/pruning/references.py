"""The modules that a module names: by import statements, wherever they stand, and in strings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from modulefinder import ModuleFinder
from pathlib import Path
from types import CodeType

DOTTED = re.compile(rb"(?<=\0)[A-Za-z_]\w*(?:\.\w+)*(?=\0)", re.ASCII)


@dataclass(frozen=True)
class Module:
    """A module of the environment: its file's name, and its code if it has bytecode."""

    file: str
    code: CodeType | None
    is_package: bool


def closure(
    roots: Iterable[str], modules: dict[str, Module], open_extension: Callable[[str], Path]
) -> set[str]:
    """Return ``roots``, every module that they name, and so on, with the packages of all of them.

    Import statements count also where they are within functions. So do strings that are the whole
    name of a module: ``importlib.import_module`` takes such, and so does compiled code, which
    ``open_extension`` gives by the name of its file.
    """
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in modules:
            continue
        seen.add(name)
        waiting.append(name.rpartition(".")[0])
        module = modules[name]
        if module.code is not None:
            waiting += _named(name, module.code, module.is_package)
        elif module.file.endswith(".so"):
            waiting += names_in(open_extension(module.file))
    return seen


def names_in(compiled: Path) -> set[str]:
    """Return the strings of a compiled file that can be names of modules."""
    return {name.decode() for name in DOTTED.findall(compiled.read_bytes())}


def _named(module: str, code: CodeType, is_package: bool) -> Iterator[str]:
    scan = ModuleFinder().scan_opcodes
    for part in _parts(code):
        yield from _strings(part.co_consts)
        for kind, arguments in scan(part):
            if kind == "absolute_import":
                names, base = arguments
            elif kind == "relative_import":
                level, names, base = arguments
                parents = module.split(".") if is_package else module.split(".")[:-1]
                parents = parents[: len(parents) - level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            else:
                continue
            yield base
            yield from (f"{base}.{name}" for name in names or ())


def _parts(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _parts(constant)


def _strings(constants: Iterable[object]) -> Iterator[str]:
    for constant in constants:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple | frozenset):
            yield from _strings(constant)
