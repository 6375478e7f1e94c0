"""What a Python model's source says, read and never run: names, calls and constants."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from slipway.check.finding import Place
from slipway.check.model_files import loaded_versions
from slipway.check.subject import Config, Module, Subject
from slipway.triton.config import ModelConfig

UTILS = "triton_python_backend_utils"
MODEL_FILE = "model.py"
CLASS = "TritonPythonModel"
type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Code:
    """One module that parses: ``names`` are what its imports are called in it, with their origins,
    ``constants`` its strings of its own that have a name: ``NAME`` or ``self.NAME``."""

    path: Path
    tree: ast.Module
    names: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the module, walked once."""
        return list(ast.walk(self.tree))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """What each node is a part of."""
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    def place(self, node: ast.expr | ast.stmt) -> Place:
        """Where a node stands."""
        return Place(self.path, node.lineno, node.col_offset + 1)

    def text(self, node: ast.expr | None) -> str | None:
        """The string that an expression is, as far as that can be told."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        return self.constants.get(_dotted(node)) if node is not None else None

    def origin(self, node: ast.expr) -> str:
        """``pb_utils.Tensor`` → ``triton_python_backend_utils.Tensor``."""
        first, _, rest = _dotted(node).partition(".")
        known = self.names.get(first, first)
        return f"{known}.{rest}" if rest else known

    def calls(self, *names: str) -> Iterator[tuple[str, ast.Call]]:
        """The calls of these functions of Triton's utilities, with the function's name."""
        for origin, node in self._calls:
            name = origin.removeprefix(f"{UTILS}.")
            if name in names and origin != name:
                yield name, node

    @cached_property
    def _calls(self) -> list[tuple[str, ast.Call]]:
        calls = (node for node in self.nodes if isinstance(node, ast.Call))
        return [(self.origin(node.func), node) for node in calls]

    def function_of(self, node: ast.AST) -> ast.AST:
        """The innermost function around a node, else the module."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                return node
        return self.tree


@dataclass(frozen=True)
class PythonModel:
    """One loaded version of a model of the Python backend: the ``entries`` that the server imports,
    one where it is there, and ``reached``, those and what they import of the model's own. ``asked``
    says whether requests can come to this version."""

    config: Config
    message: ModelConfig
    entries: tuple[Module, ...]
    reached: tuple[Module, ...]
    codes: tuple[Code, ...]
    asked: bool

    @property
    def inputs(self) -> set[str]:
        """The tensors that a request may hold."""
        message = self.message
        controls = (c.name for c in message.sequence_batching.control_input if c.control)
        states = (state.input_name for state in message.sequence_batching.state)
        batch = (name for each in message.batch_input for name in each.target_name)
        return {*(each.name for each in message.input), *controls, *states, *batch}

    @property
    def outputs(self) -> set[str]:
        """The tensors that a response may hold."""
        message = self.message
        states = (state.output_name for state in message.sequence_batching.state)
        batch = (name for each in message.batch_output for name in each.target_name)
        return {*(each.name for each in message.output), *states, *batch}

    @property
    def calls_models(self) -> bool:
        """Whether it asks other models (BLS)."""
        return any(True for code in self.codes for _ in code.calls("InferenceRequest"))


@lru_cache(maxsize=1)  # every rule of one folder asks, then those of the next
def python_models(subject: Subject) -> list[PythonModel]:
    """The loaded versions of the models of the Python backend whose config parses."""
    found = []
    for name, modules in subject.modules.items():
        config, message = subject.parsed[name]
        file = message.default_model_filename or MODEL_FILE
        versions = loaded_versions(config, message)
        asked = _asked(subject, config, versions)
        for version in versions:
            others = [path for path in config.versions if path != version]
            near = [m for m in modules if not any(m.path.is_relative_to(path) for path in others)]
            entries = [each for each in near if each.path == version / file]
            reached = _reached(entries, near)
            codes = [read(each) for each in reached if each.tree is not None]
            found.append(
                PythonModel(
                    config, message, tuple(entries), tuple(reached), tuple(codes), version in asked
                )
            )
    return found


def asked_models(subject: Subject) -> list[PythonModel]:
    """Those of them that requests can come to."""
    return [model for model in python_models(subject) if model.asked]


def _asked(subject: Subject, config: Config, versions: list[Path]) -> list[Path]:
    """The versions that are asked: the newest of the model served, and of steps what they say."""
    if subject.served is config:
        return versions[-1:]
    steps = [
        step.model_version
        for _, message in subject.parsed.values()
        for step in message.ensemble_scheduling.step
        if step.model_name == config.name
    ]
    said = [path for path in versions if int(path.name) in steps]
    newest = versions[-1:] if min(steps, default=-1) < 0 else []
    return [*said, *newest] if steps else versions


def read(module: Module) -> Code:
    """The facts of a module, which must parse."""
    assert module.tree is not None
    code = Code(module.path, module.tree)
    bound: dict[str, int] = {}
    for node in code.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                own = alias.asname or alias.name.partition(".")[0]
                code.names[own] = alias.name if alias.asname else own
        elif isinstance(node, ast.ImportFrom) and not node.level:
            code.names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        for target in _targets(node):
            bound[target] = bound.get(target, 0) + 1
    for name, value in _assigned(code.nodes):
        if bound.get(name) == 1:
            code.constants[name] = value
    return code


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """The argument at ``position``, or called ``name``; ``None`` where that is not told."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    given = call.args[: position + 1]
    if len(given) <= position or any(isinstance(each, ast.Starred) for each in given):
        return None
    return given[position]


@lru_cache(maxsize=64)  # of the modules of one folder
def imported(tree: ast.AST) -> list[tuple[ast.Import | ast.ImportFrom, str, int]]:
    """Every import in a tree: the statement, the module's dotted name, and its level of dots.

    ``from a import b`` is ``a`` and ``a.b``, which may be a module as well.
    """
    found: list[tuple[ast.Import | ast.ImportFrom, str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node, alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            before = node.module or ""
            found.append((node, before, node.level))
            found += [(node, f"{before}.{a.name}".lstrip("."), node.level) for a in node.names]
    return found


def _reached(entries: Iterable[Module], modules: Iterable[Module]) -> list[Module]:
    """The entries and the modules of the model that they import, directly or not."""
    by_stem: dict[str, list[Module]] = {}
    for module in modules:
        package = module.path.name == "__init__.py"
        stem = module.path.parent.name if package else module.path.stem
        by_stem.setdefault(stem, []).append(module)
    found = list(entries)
    for module in found:
        parts = {
            part
            for _, name, _ in (imported(module.tree) if module.tree else ())
            for part in name.split(".")
        }
        found += [
            each for part in sorted(parts) for each in by_stem.get(part, ()) if each not in found
        ]
    return found


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _targets(node: ast.AST) -> Iterator[str]:
    """The names that a node binds: each at most once is a constant."""
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield _dotted(node)
        if isinstance(node, ast.Name):
            yield f"self.{node.id}"
    elif isinstance(node, ast.arg):
        yield node.arg


def _assigned(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Strings that are given a name: in the module, in a class, or as an attribute of self."""
    for node in nodes:
        inside = "self." if isinstance(node, ast.ClassDef) else ""
        own = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        for statement in getattr(node, "body", ()) if own else ():
            if not isinstance(statement, ast.Assign | ast.AnnAssign):
                continue
            value = statement.value
            if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
                continue
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                yield inside + _dotted(target), value.value
