"""SW50x: the class that Triton's Python backend looks for, and its methods."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import PythonCode
from slipway.check.python.model import PythonModel, models_with_requests, python_models
from slipway.check.python_file import PythonFile
from slipway.check.rule import rule
from slipway.check.syntax_index import SyntaxIndex

STUB = "Triton's Python backend, pb_stub.cc, and seen on 24.10"
CLASS = "TritonPythonModel"
# the arguments that the stub passes to each method, in addition to self
METHODS = {"__init__": (), "initialize": ("args",), "execute": ("requests",)}
AUTO = "auto_complete_config"

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@rule(
    "SW501",
    "python-syntax",
    reason="the load fails: SyntaxError; or the module's import does",
    source=STUB,
)
def python_syntax(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find modules that are not valid Python, or need a newer version than the environment's."""
    for python_model in python_models(model):
        for file in python_model.files:
            line, column, problem = file.problem or _newer_syntax(file, model.settings.python)
            if problem:
                yield RuleHit(
                    Location(file.path, line, column),
                    f"not valid Python {model.settings.python}: {problem}",
                    "correct the line",
                )


@rule(
    "SW502",
    "no-class",
    reason=f"the load fails: \"module has no attribute '{CLASS}'\"",
    source=STUB,
)
def no_class(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``model.py`` without the class."""
    for python_model in python_models(model):
        for code in _entries(python_model):
            if CLASS not in _bound(code.index):
                classes = [node for node in code.tree.body if isinstance(node, ast.ClassDef)]
                yield RuleHit(
                    code.location(classes[0]) if len(classes) == 1 else Location(code.path, 1, 1),
                    f"no class {CLASS}",
                    f"add class {CLASS}, with the method execute(self, requests)",
                )


@rule(
    "SW503",
    "no-execute",
    reason="each request is answered with an error: “does not implement `execute` method”",
    source=STUB,
)
def no_execute(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find classes without the method that answers requests."""
    for python_model in models_with_requests(model):
        for code, class_, methods in model_classes(python_model):
            if "execute" not in methods:
                yield RuleHit(
                    code.location(class_),
                    f"{CLASS} has no method execute",
                    "add def execute(self, requests), which returns one response for each request",
                )


@rule(
    "SW504",
    "method-arguments",
    reason="the load or each request fails: TypeError",
    source=STUB,
)
def method_arguments(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find methods that cannot be called with the arguments that the stub passes."""
    for python_model in python_models(model):
        for code, _, methods in model_classes(python_model):
            for name, arguments in METHODS.items():
                method = methods.get(name)
                if method is not None and not _accepts(method, len(arguments)):
                    passed = " and ".join(("self", *arguments)) if arguments else "self only"
                    yield RuleHit(
                        code.location(method),
                        f"{name} is called with {passed}",
                        f"def {name}({', '.join(('self', *arguments))})",
                    )


@rule(
    "SW505",
    "auto-complete-not-static",
    reason="the load fails: TypeError",
    source=STUB + " with auto-complete on, as explicit_tensors = false in slipway.toml has it",
)
def auto_complete(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an ``auto_complete_config`` that needs an instance: the stub calls it on the class.

    With ``explicit_tensors``, no server calls it.
    """
    for python_model in python_models(model) if not model.settings.explicit_tensors else ():
        for code, _, methods in model_classes(python_model):
            method = methods.get(AUTO)
            if method is not None and not _accepts(method, 1, on_class=True):
                yield RuleHit(
                    code.location(method),
                    f"{AUTO} cannot be called on the class with only the config",
                    f"@staticmethod def {AUTO}(auto_complete_model_config)",
                )


def _newer_syntax(file: PythonFile, python: str) -> tuple[int, int, str]:
    minor = int(python.partition(".")[2])
    if sys.version_info[:2] <= (3, minor):
        return 0, 0, ""  # this Python has parsed it already
    try:
        ast.parse(file.text, feature_version=(3, minor))
    except SyntaxError as error:
        return error.lineno or 0, error.offset or 0, error.msg
    return 0, 0, ""


def _entries(python_model: PythonModel) -> Iterator[PythonCode]:
    paths = {entry.path for entry in python_model.entries}
    yield from (code for code in python_model.sources if code.path in paths)


def _bound(index: SyntaxIndex) -> set[str]:
    """Return the names that importing the module binds; a star may bind any name."""
    names = {node.name for node in index.of(ast.ClassDef, ast.FunctionDef)}
    names |= {node.id for node in index.of(ast.Name) if isinstance(node.ctx, ast.Store)}
    names |= {alias.asname or alias.name for alias in index.of(ast.alias)}
    return names | {CLASS} if names & {"*", "__getattr__"} else names


def model_classes(
    python_model: PythonModel,
) -> Iterator[tuple[PythonCode, ast.ClassDef, dict[str, Function]]]:
    """Yield the class of each ``model.py`` with its methods, if the file determines them."""
    for code in _entries(python_model):
        local = {node.name: node for node in code.tree.body if isinstance(node, ast.ClassDef)}
        class_ = local.get(CLASS)
        if class_ is None:
            continue
        ancestry, bases = [class_], list(class_.bases)
        while bases and isinstance(bases[0], ast.Name) and bases[0].id in local and len(bases) == 1:
            ancestry.append(local[bases[0].id])
            bases = list(ancestry[-1].bases)
        known = not bases or [ast.unparse(base) for base in bases] == ["object"]
        plain = not any(cls.keywords or cls.decorator_list for cls in ancestry)
        if not (known and plain):
            continue
        methods: dict[str, Function] = {}
        assigned = False
        for cls in ancestry:
            for node in cls.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    methods.setdefault(node.name, node)
                elif not isinstance(node, ast.Expr | ast.Pass | ast.AnnAssign | ast.ClassDef):
                    names = code.index.within(node).names.keys()
                    assigned |= bool(names & {*METHODS, AUTO}) or not isinstance(node, ast.Assign)
        if not assigned and "__getattr__" not in methods:
            yield code, class_, methods


def _accepts(method: Function, count: int, *, on_class: bool = False) -> bool:
    """Return whether the method accepts ``count`` arguments, as an unknown decorator may do."""
    kinds = {ast.unparse(decorator) for decorator in method.decorator_list}
    if kinds - {"staticmethod", "classmethod"}:
        return True
    bound = "classmethod" in kinds or ("staticmethod" not in kinds and not on_class)
    arguments = method.args
    positional = [*arguments.posonlyargs, *arguments.args]
    passed = count + bound
    needed = len(positional) - len(arguments.defaults)
    needs_keyword = None in arguments.kw_defaults
    limit = passed if arguments.vararg else len(positional)
    return needed <= passed <= limit and not needs_keyword
