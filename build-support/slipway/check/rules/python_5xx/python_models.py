"""SW50x: the class that Triton's Python backend looks for, and its methods."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from slipway.check.finding import Found, Place
from slipway.check.python_code import (
    CLASS,
    Code,
    Function,
    PythonModel,
    asked_models,
    python_models,
)
from slipway.check.rule import rule
from slipway.check.subject import Module, Subject

STUB = "Triton's Python backend, pb_stub.cc, and seen on 24.10"
# what the stub gives each method, besides self
METHODS = {"__init__": (), "initialize": ("args",), "execute": ("requests",)}
AUTO = "auto_complete_config"


@rule(
    "SW501",
    "python-syntax",
    reason="the load fails: SyntaxError; or the module's import does",
    source=STUB,
)
def python_syntax(subject: Subject) -> Iterator[Found]:
    """A module that is no Python, or of a newer version than the environment's."""
    for model in python_models(subject):
        for module in model.reached:
            line, column, said = module.problem or _too_new(module, subject.settings.python)
            if said:
                yield Found(
                    Place(module.path, line, column),
                    f"no valid Python {subject.settings.python}: {said}",
                    "mend the line",
                )


@rule(
    "SW502",
    "no-class",
    reason=f"the load fails: \"module has no attribute '{CLASS}'\"",
    source=STUB,
)
def no_class(subject: Subject) -> Iterator[Found]:
    """A model.py without the class."""
    for model in python_models(subject):
        for code in _entries(model):
            if CLASS not in _bound(code.tree):
                classes = [node for node in code.tree.body if isinstance(node, ast.ClassDef)]
                yield Found(
                    code.place(classes[0]) if len(classes) == 1 else Place(code.path, 1, 1),
                    f"no class {CLASS}",
                    f"class {CLASS}, with the method execute(self, requests)",
                )


@rule(
    "SW503",
    "no-execute",
    reason="each request is answered with an error: “does not implement `execute` method”",
    source=STUB,
)
def no_execute(subject: Subject) -> Iterator[Found]:
    """A class without the method that answers."""
    for model in asked_models(subject):
        for code, found, methods in _classes(model):
            if "execute" not in methods:
                yield Found(
                    code.place(found),
                    f"{CLASS} has no method execute",
                    "def execute(self, requests): return one response for each request",
                )


@rule(
    "SW504",
    "method-arguments",
    reason="the load or each request fails: TypeError",
    source=STUB,
)
def method_arguments(subject: Subject) -> Iterator[Found]:
    """A method that cannot take what the stub calls it with."""
    for model in python_models(subject):
        for code, _, methods in _classes(model):
            for name, given in METHODS.items():
                method = methods.get(name)
                if method is not None and not _takes(method, len(given)):
                    right = ", ".join(("self", *given))
                    yield Found(
                        code.place(method),
                        f"{name} is called with {' and '.join(given) or 'nothing'} besides self",
                        f"def {name}({right})",
                    )


@rule(
    "SW505",
    "auto-complete-not-static",
    reason="the load fails on the endpoint, where auto-complete is on: TypeError",
    source=STUB + " with auto-complete",
)
def auto_complete(subject: Subject) -> Iterator[Found]:
    """An ``auto_complete_config`` that needs an instance: the stub calls it on the class."""
    for model in python_models(subject):
        for code, _, methods in _classes(model):
            method = methods.get(AUTO)
            if method is not None and not _takes(method, 1, on_class=True):
                yield Found(
                    code.place(method),
                    f"{AUTO} cannot be called on the class with the config alone",
                    f"@staticmethod def {AUTO}(auto_complete_model_config)",
                )


def _too_new(module: Module, python: str) -> tuple[int, int, str]:
    minor = int(python.partition(".")[2])
    if sys.version_info[:2] <= (3, minor):
        return 0, 0, ""  # it was parsed by this Python already
    try:
        ast.parse(module.text, feature_version=(3, minor))
    except SyntaxError as error:
        return error.lineno or 0, error.offset or 0, error.msg
    return 0, 0, ""


def _entries(model: PythonModel) -> Iterator[Code]:
    paths = {entry.path for entry in model.entries}
    yield from (code for code in model.codes if code.path in paths)


def _bound(tree: ast.Module) -> set[str]:
    """What importing the module binds; a star may bind anything."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names | {CLASS} if names & {"*", "__getattr__"} else names


def _classes(model: PythonModel) -> Iterator[tuple[Code, ast.ClassDef, dict[str, Function]]]:
    """The class of each ``model.py`` with its methods, where these can be told from it alone."""
    for code in _entries(model):
        local = {node.name: node for node in code.tree.body if isinstance(node, ast.ClassDef)}
        found = local.get(CLASS)
        if found is None:
            continue
        line, bases = [found], list(found.bases)
        while bases and isinstance(bases[0], ast.Name) and bases[0].id in local and len(bases) == 1:
            line.append(local[bases[0].id])
            bases = list(line[-1].bases)
        known = not bases or [ast.unparse(base) for base in bases] == ["object"]
        plain = not any(each.keywords or each.decorator_list for each in line)
        if not (known and plain):
            continue
        methods: dict[str, Function] = {}
        assigned = False
        for each in line:
            for node in each.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    methods.setdefault(node.name, node)
                elif not isinstance(node, ast.Expr | ast.Pass | ast.AnnAssign | ast.ClassDef):
                    names = {t.id for t in ast.walk(node) if isinstance(t, ast.Name)}
                    assigned |= bool(names & {*METHODS, AUTO}) or not isinstance(node, ast.Assign)
        if not assigned and "__getattr__" not in methods:
            yield code, found, methods


def _takes(method: Function, count: int, *, on_class: bool = False) -> bool:
    """Whether the method can be called with ``count`` arguments; unknown decorators may mend it."""
    kinds = {ast.unparse(decorator) for decorator in method.decorator_list}
    if kinds - {"staticmethod", "classmethod"}:
        return True
    bound = "classmethod" in kinds or ("staticmethod" not in kinds and not on_class)
    arguments = method.args
    positional = [*arguments.posonlyargs, *arguments.args]
    given = count + bound
    needed = len(positional) - len(arguments.defaults)
    needs_keyword = None in arguments.kw_defaults
    most = given if arguments.vararg else len(positional)
    return needed <= given <= most and not needs_keyword
