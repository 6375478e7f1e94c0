"""What ``forward`` of a TorchScript file takes and returns, read without running anything.

The archive holds the model's code as text. The first class that its pickle names is the model's;
no object of the pickle is created (torch/csrc/jit/serialization/export_module.cpp).
"""

from __future__ import annotations

import ast
import pickletools
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

OPTIONAL = "Optional[Tensor]"
TENSORS = ("Tensor", OPTIONAL)
HEADER = re.compile(r"^  def forward\((?P<arguments>.*?)\) -> (?P<returns>.*?):\n", re.S | re.M)
CLASS = re.compile(r"^class (\w+)\(Module\):\n", re.M)
# the class is named in the first bytes of the pickle
BEGINNING = 4096
TRAINING_WORDS = (b"dropout(", b"batch_norm(")  # operators that ask in which mode they are
LARGEST_CODE = 16 << 20  # bytes; more is not read
# what zipfile, pickletools and ast raise for other files; an encrypted archive is a RuntimeError
UNREADABLE = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    SyntaxError,
    RuntimeError,
)


@dataclass(frozen=True)
class Forward:
    """The method that a request calls.

    ``arguments`` are those besides ``self``, of which ``optional`` may be None. ``results`` is the
    number of tensors that it returns.
    """

    arguments: tuple[str, ...]
    optional: tuple[str, ...]
    results: int


def read_forward(path: Path) -> Forward | None:
    """Return what ``forward`` of a TorchScript file takes and returns.

    It is ``None`` where the file is another one, or where ``forward`` has other arguments and
    results than tensors: the number of a list's items is not written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = archive.namelist()[0].partition("/")[0]
            with archive.open(f"{root}/data.pkl") as stream:
                module, name = _class_name(stream.read(BEGINNING))
            code = archive.getinfo(f"{root}/code/{module.replace('.', '/')}.py")
            if code.file_size > LARGEST_CODE:
                return None
            return _forward(archive.read(code).decode(), name)
    except UNREADABLE:
        return None


def is_training(path: Path) -> bool:
    """Return whether a TorchScript file was saved in training mode, and behaves otherwise in it.

    The module's attribute ``training`` is the first of that name in its pickle.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            root = names[0].partition("/")[0]
            with archive.open(f"{root}/data.pkl") as stream:
                if not _training_attribute(stream.read(LARGEST_CODE)):
                    return False
            codes = [n for n in names if n.startswith(f"{root}/code/") and n.endswith(".py")]
            return any(
                word in archive.read(name)
                for name in codes
                if archive.getinfo(name).file_size <= LARGEST_CODE
                for word in TRAINING_WORDS
            )
    except UNREADABLE:
        return False


def _training_attribute(pickled: bytes) -> bool:
    is_next = False
    for operation, argument, _ in pickletools.genops(pickled):
        if is_next and operation.name in ("NEWTRUE", "NEWFALSE"):
            return operation.name == "NEWTRUE"
        if argument == "training":
            is_next = True
        elif not operation.name.endswith("PUT"):
            is_next = False
    return False


def _class_name(beginning: bytes) -> tuple[str, str]:
    for operation, argument, _ in pickletools.genops(beginning):
        if operation.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            return module, name
    raise LookupError("the pickle names no class")


def _forward(code: str, name: str) -> Forward | None:
    """Return the ``forward`` of the class ``name`` in the text of a module."""
    begins = {match[1]: match.end() for match in CLASS.finditer(code)}
    later = [begin for begin in begins.values() if begin > begins[name]]
    match = HEADER.search(code, begins[name], min(later, default=len(code)))
    if match is None:
        return None
    tree = ast.parse(f"def forward({match['arguments']}) -> {match['returns']}: ...")
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef) and function.returns is not None
    arguments = function.args.args[1:]
    kinds = {each.arg: ast.unparse(each.annotation) for each in arguments if each.annotation}
    results = _number_of_tensors(function.returns)
    if results is None or not set(kinds.values()) <= set(TENSORS):
        return None
    return Forward(
        tuple(each.arg for each in arguments),
        tuple(name for name, kind in kinds.items() if kind == OPTIONAL),
        results,
    )


def _number_of_tensors(node: ast.expr) -> int | None:
    """Return how many tensors an annotation is: one, or those of a tuple."""
    text = ast.unparse(node)
    if text in TENSORS:
        return 1
    if not text.startswith("Tuple[") or not isinstance(node, ast.Subscript):
        return None
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return len(items) if all(ast.unparse(item) in TENSORS for item in items) else None
