"""The text that a name has where it is used: a constant, or what every caller passes."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slipway.check.python.code import PythonCode, argument

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class NamedText:
    """A string that an expression may be; ``node`` in ``code`` is what gives it."""

    text: str
    code: PythonCode
    node: ast.expr


def texts(
    code: PythonCode, node: ast.expr | None, sources: Sequence[PythonCode], *, all_known: bool
) -> list[NamedText]:
    """Return the strings that an expression may be.

    A parameter of a function is followed to its calls in ``sources``, the model's modules; a loop's
    variable to the items of a tuple or a list. With ``all_known``, nothing is returned if one of
    the strings cannot be determined.
    """
    text = code.text(node)
    if text is not None and node is not None:
        return [NamedText(text, code, node)]
    if not isinstance(node, ast.Name):
        return []
    function = code.function_of(node)
    items = _loop_items(code, node, function)
    found: list[tuple[PythonCode, ast.expr | None]] = [(code, item) for item in items or ()]
    if items is None and isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        found = list(_passed(code, function, node.id, sources))
    known = [
        NamedText(text, module, source)
        for module, source in found
        if source is not None and (text := module.text(source)) is not None
    ]
    return known if not all_known or len(known) == len(found) else []


def _loop_items(code: PythonCode, name: ast.Name, scope: ast.AST) -> list[ast.expr] | None:
    """Return the items over which the only loop with this variable runs, if they are written."""
    loops = [
        node
        for node in code.index.within(scope).of(ast.For, ast.comprehension)
        if name.id in code.index.within(node.target).names
    ]
    if len(loops) != 1 or not isinstance(loops[0].target, ast.Name):
        return None
    items: ast.expr = loops[0].iter
    if isinstance(items, ast.Name):
        values = code.values_assigned(items.id, code.tree)
        items = values[0] if len(values) == 1 else items
    return list(items.elts) if isinstance(items, ast.Tuple | ast.List) else None


def _passed(
    code: PythonCode, function: Function, parameter: str, sources: Sequence[PythonCode]
) -> Iterator[tuple[PythonCode, ast.expr | None]]:
    """Yield what each call of a function passes for one of its parameters; ``None`` if unknown."""
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    uses = code.index.within(function).names.get(parameter, ())
    bound = any(isinstance(node.ctx, ast.Store) for node in uses)
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    if bound or decorators - {"staticmethod", "classmethod"} or _is_ambiguous(function, sources):
        return
    method = isinstance(code.parents.get(function), ast.ClassDef)
    shift = int(method and "staticmethod" not in decorators)
    position = names.index(parameter) - shift if parameter in names else sys.maxsize
    default = _defaults(function).get(parameter)
    for module, call in _calls_of(function, sources):
        unpacked = any(isinstance(argument, ast.Starred) for argument in call.args)
        if unpacked or any(keyword.arg is None for keyword in call.keywords):
            yield module, None
        else:
            value = argument(call, position, parameter)
            yield module, value if value is not None else default


def _defaults(function: Function) -> dict[str, ast.expr]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    pairs = list(zip(with_default, arguments.defaults, strict=True))
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    pairs += [(arg, default) for arg, default in keywords if default is not None]
    return {arg.arg: default for arg, default in pairs}


def _is_ambiguous(function: Function, sources: Sequence[PythonCode]) -> bool:
    """Return whether the function's name has another meaning too, or is used without a call."""
    name = function.name
    definitions = [
        node
        for code in sources
        for node in (*code.index.functions.get(name, ()), *code.index.of(ast.ClassDef))
        if node.name == name
    ]
    called = {id(call.func) for _, call in _calls_of(function, sources)}
    uses = [node for code in sources for node in _uses(code, name)]
    return len(definitions) > 1 or any(id(node) not in called for node in uses)


def _calls_of(
    function: Function, sources: Sequence[PythonCode]
) -> Iterator[tuple[PythonCode, ast.Call]]:
    for code in sources:
        names = {id(use) for use in _uses(code, function.name)}
        for node in code.index.of(ast.Call) if names else ():
            if id(node.func) in names:
                yield code, node


def _uses(code: PythonCode, name: str) -> tuple[ast.Name | ast.Attribute, ...]:
    """Return where a function is called or used: ``f``, ``self.f``, ``Class.f``."""
    return (*code.index.names.get(name, ()), *code.index.attributes.get(name, ()))
