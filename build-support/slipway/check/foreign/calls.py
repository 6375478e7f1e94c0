"""Find which models the code of a Python model calls (BLS), and where it names them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from slipway.check.foreign.discover import SourceModel
from slipway.check.python.code import UTILS, PythonCode, analyse, argument
from slipway.check.python.names import texts
from slipway.check.python_file import parse_python

# the arguments that name a model: their position and keyword
NAMING = {
    "InferenceRequest": (4, "model_name"),
    "load_model": (0, "model_name"),
    "unload_model": (0, "model_name"),
    "is_model_ready": (0, "model_name"),
}
# calls whose strings name tensors
TENSORS = ("Tensor", "get_input_tensor_by_name", "get_output_tensor_by_name", "InferenceRequest")


@dataclass(frozen=True)
class NamedModel:
    """A string in ``file`` that names a model; ``start`` and ``end`` are offsets in its text."""

    file: Path
    start: int
    end: int
    name: str


@dataclass(frozen=True)
class Calls:
    """The models that a model calls: where they are named, and the calls that name none.

    ``loaded`` are those that the code loads itself; ``computed`` are the places, file and line, of
    calls whose model's name is not written anywhere.
    """

    named: tuple[NamedModel, ...] = ()
    loaded: frozenset[str] = frozenset()
    computed: tuple[tuple[Path, int], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the called models."""
        return frozenset(named.name for named in self.named)


def calls_of(model: SourceModel, names: Iterable[str]) -> Calls:
    """Return the calls of a model to those called ``names``.

    A called model is named by a constant or an argument that reaches the call. Where one of the
    names is not determined, every string that is equal to one of ``names``, and names no tensor, is
    taken for the name of a model.
    """
    others = set(names) - set(model.names)
    sources = list(_sources(model))
    asked = [
        (code, call, argument(call, *NAMING[function]))
        for code in sources
        for function, call in code.calls(*NAMING)
    ]
    if not asked:
        return Calls()
    known: set[str] = set()
    computed: list[tuple[Path, int]] = []
    for code, call, node in asked:
        found = texts(code, node, sources, all_known=True)
        known |= {text.text for text in found}
        if not found:
            computed.append((code.path, call.lineno))
    wanted = others & known if not computed else others
    named = [place for code in sources for place in _places(code, wanted)]
    # the name is computed, but what it is computed from is written: self.name = "encoder"
    unresolved = () if computed and any(place.name not in known for place in named) else computed
    return Calls(tuple(named), frozenset(_loaded(sources)), tuple(unresolved))


def _sources(model: SourceModel) -> Iterator[PythonCode]:
    if model.backend != "python":
        return
    for path in sorted(model.directory.rglob("*.py")):
        inside = path.relative_to(model.directory).parts
        if path.name == f"{UTILS}.py" or any(part.startswith(".") for part in inside):
            continue
        if "site-packages" not in inside and path.is_file():
            parsed = parse_python(path)
            if parsed.tree is not None:
                yield analyse(parsed)


def _loaded(sources: Iterable[PythonCode]) -> Iterator[str]:
    for code in sources:
        for _, call in code.calls("load_model"):
            text = code.text(argument(call, *NAMING["load_model"]))
            if text is not None:
                yield text


def _places(code: PythonCode, names: set[str]) -> Iterator[NamedModel]:
    text = code.path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for node in code.index.of(ast.Constant):
        if not isinstance(node.value, str) or node.value not in names:
            continue
        if _names_a_tensor(code, node) or node.end_lineno != node.lineno:
            continue
        assert node.end_col_offset is not None
        raw = lines[node.lineno - 1].encode()
        start = starts[node.lineno - 1] + len(raw[: node.col_offset].decode())
        end = starts[node.lineno - 1] + len(raw[: node.end_col_offset].decode())
        inside = text[start:end].find(node.value)
        if inside >= 0:
            start += inside
            yield NamedModel(code.path, start, start + len(node.value), node.value)


def _names_a_tensor(code: PythonCode, node: ast.Constant) -> bool:
    """Return whether a string is an argument that names a tensor, alone or in a list."""
    child: ast.AST = node
    parent = code.parents.get(child)
    while isinstance(parent, ast.List | ast.Tuple | ast.keyword):
        child, parent = parent, code.parents.get(parent)
    if not isinstance(parent, ast.Call):
        return False
    function = code.origin(parent.func).removeprefix(f"{UTILS}.").rpartition(".")[2]
    if function not in TENSORS:
        return False
    if function != "InferenceRequest":
        return True
    return node is not argument(parent, *NAMING["InferenceRequest"])
