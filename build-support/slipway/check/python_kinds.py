"""What kind of value an expression is, where the module's code determines it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from slipway.check.python_code import PythonCode

type Function = ast.FunctionDef | ast.AsyncFunctionDef

RESPONSE, TENSOR, ARRAY, LIST = "an InferenceResponse", "a Tensor", "an array", "a list"
NUMBER, TUPLE, NONE, GENERATOR = "a number", "a tuple", "None", "a generator"
DEPTH = 3  # functions that call functions

LITERALS: dict[type[ast.expr], str] = {
    ast.List: LIST,
    ast.ListComp: LIST,
    ast.Tuple: TUPLE,
    ast.Dict: "a dict",
    ast.DictComp: "a dict",
    ast.Set: "a set",
    ast.SetComp: "a set",
    ast.GeneratorExp: GENERATOR,
    ast.JoinedStr: "a str",
    ast.Lambda: "a function",
}
# builtins and functions of the libraries that models use, by what they return
CALLS = {
    "list": LIST,
    "sorted": LIST,
    "tuple": TUPLE,
    "dict": "a dict",
    "set": "a set",
    "str": "a str",
    "bytes": "bytes",
    "int": NUMBER,
    "float": NUMBER,
    "bool": NUMBER,
    "len": NUMBER,
    "map": "a map",
    "filter": "a filter",
    "zip": "a zip",
    "iter": "an iterator",
    "reversed": "an iterator",
    "triton_python_backend_utils.InferenceResponse": RESPONSE,
    "triton_python_backend_utils.Tensor": TENSOR,
}
ARRAYS = """array asarray ascontiguousarray zeros ones empty full stack concatenate frombuffer
expand_dims zeros_like ones_like""".split()
CALLS |= {f"numpy.{name}": ARRAY for name in ARRAYS}
# methods that no other type of these libraries has with another result
METHODS = {"as_numpy": ARRAY, "tolist": LIST, "tobytes": "bytes", "item": NUMBER}
ARRAY_METHODS = ("astype", "reshape", "copy", "transpose", "flatten", "ravel")
REDUCTIONS = ("sum", "mean", "max", "min", "argmax", "argmin", "prod", "std", "var", "any", "all")


def kind_of(code: PythonCode, node: ast.expr | None, depth: int = DEPTH) -> str | None:
    """Return the kind of an expression's value, such as ``LIST``; ``None`` if unknown."""
    if node is None or (isinstance(node, ast.Constant) and node.value is None):
        return NONE
    if isinstance(node, ast.Constant):
        numeric = isinstance(node.value, bool | int | float | complex)
        return NUMBER if numeric else f"a {type(node.value).__name__}"
    if type(node) in LITERALS:
        return LITERALS[type(node)]
    if isinstance(node, ast.IfExp):
        return _common(kind_of(code, part, depth) for part in (node.body, node.orelse))
    if isinstance(node, ast.Name):
        return _kind_of_name(code, node, depth)
    if isinstance(node, ast.Subscript) and _is_index(node.slice):
        elements = list(elements_of(code, node.value))
        return _common(kind_of(code, e, depth) for e in elements) if elements else None
    return _kind_of_call(code, node, depth) if isinstance(node, ast.Call) else None


def elements_of(code: PythonCode, node: ast.expr) -> Iterator[ast.expr]:
    """Yield the expressions that a list is made of, as far as the module writes them."""
    if isinstance(node, ast.List):
        yield from node.elts
    elif isinstance(node, ast.ListComp):
        yield node.elt
    elif isinstance(node, ast.Name):
        scope = code.function_of(node)
        for value in code.values_assigned(node.id, scope):
            if not isinstance(value, ast.Name):
                yield from elements_of(code, value)
        for method in code.index.within(scope).attributes.get("append", ()):
            call = code.parents[method]
            of_name = isinstance(method.value, ast.Name) and method.value.id == node.id
            if of_name and isinstance(call, ast.Call) and call.func is method:
                yield from call.args


def returned(function: Function) -> Iterator[ast.Return]:
    """Yield the return statements of a function, without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Return):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def is_generator(function: Function) -> bool:
    """Return whether calling the function returns a generator."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return False


def _kind_of_name(code: PythonCode, node: ast.Name, depth: int) -> str | None:
    scope = code.function_of(node)
    values = code.values_assigned(node.id, scope)
    index = code.index.within(scope)
    uses = index.names.get(node.id, ())
    stores = [use for use in uses if isinstance(use.ctx, ast.Store | ast.Del)]
    # bound by a loop, a with or a tuple, or changed in place
    if len(stores) != len(values) or not depth:
        return None
    if any(arg.arg == node.id for arg in index.of(ast.arg)):
        return None
    if any(node.id in code.index.within(value).names for value in values):
        return None
    return _common(kind_of(code, value, depth - 1) for value in values) if values else None


def _kind_of_call(code: PythonCode, call: ast.Call, depth: int) -> str | None:
    kind = CALLS.get(code.origin(call.func))
    if kind is not None:
        return kind
    if isinstance(call.func, ast.Attribute):
        method = call.func.attr
        if method in METHODS:
            return METHODS[method]
        of_array = depth and kind_of(code, call.func.value, depth - 1) == ARRAY
        if of_array and method in ARRAY_METHODS:
            return ARRAY
        if of_array and method in REDUCTIONS and not call.args and not call.keywords:
            return NUMBER
    function = _own_function(code, call)
    if function is None or not depth:
        return None
    if is_generator(function):
        return GENERATOR
    results = list(returned(function))
    if not results or isinstance(function, ast.AsyncFunctionDef) or function.decorator_list:
        return None
    return _common(kind_of(code, result.value, depth - 1) for result in results)


def _own_function(code: PythonCode, call: ast.Call) -> Function | None:
    """Return the module's function, or the method of ``self``, that is called."""
    if isinstance(call.func, ast.Name):
        name = call.func.id
    elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        name = call.func.attr if call.func.value.id in ("self", "cls") else ""
    else:
        return None
    functions = code.index.functions.get(name, ())
    return functions[0] if len(functions) == 1 else None


def _is_index(node: ast.expr) -> bool:
    operand = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(operand, ast.Constant) and isinstance(operand.value, int)


def _common(kinds: Iterable[str | None]) -> str | None:
    found = set(kinds)
    return found.pop() if len(found) == 1 else None
