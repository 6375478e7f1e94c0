"""SW53x: Python models that write where they lie."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from slipway.check.finding import Found
from slipway.check.python_code import UTILS, Code, argument, python_models
from slipway.check.rule import rule
from slipway.check.subject import Subject

# what writes to a path: which argument the path is
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
# what of a path says nothing of where it leads
PARTS = {"basename", "name", "stem", "suffix"}


@rule(
    "SW531",
    "writes-beside-the-model",
    reason="the directory's time changes: the server takes the model for another, and restarts its"
    " processes when any model is loaded",
    source="Triton core, model_repository_manager.cc (ModificationTime), and seen on 24.10",
    severity="warning",
)
def writes_beside_the_model(subject: Subject) -> Iterator[Found]:
    """A file or folder that is made, changed or removed in the model's directory."""
    for model in python_models(subject):
        for code in model.codes:
            own = _own_places(code)
            for node in code.nodes:
                path = _written(code, node) if isinstance(node, ast.Call) else None
                if path is not None and isinstance(node, ast.Call) and _is_own(code, path, own):
                    yield Found(
                        code.place(node),
                        f"{ast.unparse(node.func)} changes the model's own directory",
                        "write to a folder of tempfile's, or ship the file with the model",
                    )


def _written(code: Code, call: ast.Call) -> ast.expr | None:
    """The path that a call writes to."""
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


def _own_places(code: Code) -> set[str]:
    """The names and attributes that hold a path of the model's directory."""
    own: set[str] = set()
    assigned = [node for node in code.nodes if isinstance(node, ast.Assign)]
    before = -1
    while before != len(own):
        before = len(own)
        own |= {
            ast.unparse(target)
            for node in assigned
            if _is_own(code, node.value, own)
            for target in node.targets
            if isinstance(target, ast.Name | ast.Attribute)
        }
    return own


def _is_own(code: Code, path: ast.expr, own: set[str]) -> bool:
    """Whether an expression is a path below the model's directory."""
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
        return any(part is not None and _is_own(code, part, own) for part in parts)
    if isinstance(path, ast.Attribute):
        if path.attr in PARTS:
            return False
        return ast.unparse(path) in own or _is_own(code, path.value, own)
    if isinstance(path, ast.Subscript):
        key = code.text(path.slice) if isinstance(path.slice, ast.expr) else None
        return key == "model_repository" or _is_own(code, path.value, own)
    if isinstance(path, ast.BinOp):
        return _is_own(code, path.left, own)
    if isinstance(path, ast.JoinedStr):
        values = path.values[:1]
        return any(
            isinstance(v, ast.FormattedValue) and _is_own(code, v.value, own) for v in values
        )
    return isinstance(path, ast.Name) and (path.id == "__file__" or path.id in own)
