"""SW53x: Python models that write to their own directory."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import UTILS, PythonCode, argument
from slipway.check.python.model import python_models
from slipway.check.rule import rule

# functions that write to a path → the position of the path among the arguments
FUNCTIONS = {
    "os.makedirs": 0,
    "os.mkdir": 0,
    "os.remove": 0,
    "os.unlink": 0,
    "os.rename": 1,
    "os.replace": 1,
    "shutil.copy": 1,
    "shutil.copy2": 1,
    "shutil.copyfile": 1,
    "shutil.copytree": 1,
    "shutil.move": 1,
    "shutil.rmtree": 0,
    "numpy.save": 0,
    "numpy.savetxt": 0,
    "numpy.savez": 0,
    "numpy.savez_compressed": 0,
    "joblib.dump": 1,
    "torch.save": 1,
    "urllib.request.urlretrieve": 1,
}
METHODS = {"write_text", "write_bytes", "mkdir", "touch", "unlink", "rmdir"}
WRITES = set("wax+")
# parts of a path that do not say where it leads
PARTS = {"basename", "name", "stem", "suffix"}


@rule(
    "SW531",
    "writes-beside-the-model",
    reason="the directory's time changes: the server regards the model as modified, and restarts"
    " its processes when any model is loaded",
    source="Triton core, model_repository_manager.cc (ModificationTime), and seen on 24.10",
    severity="warning",
)
def writes_beside_the_model(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find code that creates, changes or removes a file or folder in the model's directory."""
    for python_model in python_models(model):
        for code in python_model.sources:
            own_paths = _model_paths(code)
            for node in code.index.of(ast.Call):
                path = _written_path(code, node)
                if path is not None and _is_model_path(code, path, own_paths):
                    yield RuleHit(
                        code.location(node),
                        f"{ast.unparse(node.func)} changes the model's own directory",
                        "write to a temporary folder (tempfile), or ship the file with the model",
                    )


def _written_path(code: PythonCode, call: ast.Call) -> ast.expr | None:
    """Return the path that a call writes to."""
    name = code.origin(call.func)
    if name in FUNCTIONS:
        return argument(call, FUNCTIONS[name], "")
    if name == "open":
        mode = code.text(argument(call, 1, "mode")) or "r"
        return argument(call, 0, "file") if set(mode) & WRITES else None
    if isinstance(call.func, ast.Attribute):
        if call.func.attr in METHODS:
            return call.func.value
        if call.func.attr == "open" and set(code.text(argument(call, 0, "mode")) or "r") & WRITES:
            return call.func.value
    return None


def _model_paths(code: PythonCode) -> set[str]:
    """Return the names and attributes that hold a path in the model's directory."""
    own_paths: set[str] = set()
    assigned = code.index.of(ast.Assign)
    count = -1
    while count != len(own_paths):
        count = len(own_paths)
        own_paths |= {
            ast.unparse(target)
            for node in assigned
            if _is_model_path(code, node.value, own_paths)
            for target in node.targets
            if isinstance(target, ast.Name | ast.Attribute)
        }
    return own_paths


def _is_model_path(code: PythonCode, path: ast.expr, own_paths: set[str]) -> bool:
    """Return whether an expression is a path below the model's directory."""
    if isinstance(path, ast.Call):
        function = code.origin(path.func)
        if function == f"{UTILS}.get_model_dir":
            return True
        if function.rpartition(".")[2] in PARTS or "temp" in function:
            return False
        first = path.func.value if isinstance(path.func, ast.Attribute) else None
        parts = [first] if first is not None and not path.args else path.args[:1]
        if first is not None and isinstance(first, ast.Call | ast.BinOp | ast.Name):
            parts = [first, *parts]
        return any(part is not None and _is_model_path(code, part, own_paths) for part in parts)
    if isinstance(path, ast.Attribute):
        if path.attr in PARTS:
            return False
        return ast.unparse(path) in own_paths or _is_model_path(code, path.value, own_paths)
    if isinstance(path, ast.Subscript):
        key = code.text(path.slice) if isinstance(path.slice, ast.expr) else None
        return key == "model_repository" or _is_model_path(code, path.value, own_paths)
    if isinstance(path, ast.BinOp):
        return _is_model_path(code, path.left, own_paths)
    if isinstance(path, ast.JoinedStr):
        values = path.values[:1]
        return any(
            isinstance(v, ast.FormattedValue) and _is_model_path(code, v.value, own_paths)
            for v in values
        )
    return isinstance(path, ast.Name) and (path.id == "__file__" or path.id in own_paths)
