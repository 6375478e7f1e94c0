"""An exported program of PyTorch: loaded, called with its tensors in order, described."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.format import Feature, Tensor
from slipway.formats.networks.torch_inputs import DATATYPES
from slipway.formats.networks.torch_module import quiet

# operators that behave otherwise in training, and the argument that says so
TRAINING = {
    "aten.dropout.default": 2,
    "aten.batch_norm.default": 5,
    "aten.feature_dropout.default": 2,
}


def load(source: Path) -> Any:
    """Return the ``torch.export.ExportedProgram`` of a file.

    Raises:
        SlipwayError: it cannot be loaded, or was exported in training mode.
    """
    quiet()
    import torch

    try:
        program = torch.export.load(source)
    except Exception as error:  # of its schema, its archive, an operator that is not there
        text = str(error).strip().splitlines() or [type(error).__name__]
        what = f"PyTorch {torch.__version__} cannot load it: {text[0][:250]}"
        raise SlipwayError(what, fix="export and save it again, with this version") from error
    for node in program.graph.nodes:
        place = TRAINING.get(str(node.target))
        if place is not None and len(node.args) > place and node.args[place] is True:
            what = f"it was exported in training mode: {node.target} answers by chance or by batch"
            raise SlipwayError(
                what, fix="model.eval() before torch.export.export, and save it again"
            )
    return program


def caller(program: Any) -> Any:
    """Return a module that takes the program's tensors in order."""
    import torch
    from torch.utils import _pytree as tree

    inner = program.module()
    spec = program.call_spec.in_spec

    class Caller(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.program = inner

        def forward(self, *tensors: Any) -> Any:
            arguments, keywords = tree.tree_unflatten(list(tensors), spec)
            return self.program(*arguments, **keywords)

    return Caller()


def inputs(program: Any) -> tuple[tuple[Tensor, ...], bool, int]:
    """Return its inputs, whether rows may be joined, and the most rows that it takes, 0 for any.

    Raises:
        SlipwayError: an argument is not a tensor.
    """
    import torch

    values = {n.name: n.meta["val"] for n in program.graph.nodes if n.op == "placeholder"}
    given: list[tuple[str, Any]] = []
    for name in program.graph_signature.user_inputs:
        if not isinstance(values.get(name), torch.Tensor):
            what = f"the argument {name} is not a tensor"
            raise SlipwayError(what, fix="fix its value in the model before torch.export.export")
        given.append((name, values[name]))
    firsts = {str(value.shape[0]) if value.dim() else "" for _, value in given}
    batched = len(firsts) == 1 and all(
        value.dim() > 0 and isinstance(value.shape[0], torch.SymInt) for _, value in given
    )
    sizes = _examples(program, len(given))
    found = tuple(
        _tensor(name, value, batched, _table(program), size)
        for (name, value), size in zip(given, sizes, strict=True)
    )
    most = _most_rows(program, given[0][1].shape[0]) if batched else 0
    return found, batched, most


def _examples(program: Any, count: int) -> list[tuple[int, ...]]:
    """Return the sizes of the tensors that it was exported with; () where they are not kept."""
    from torch.utils import _pytree as tree

    given = getattr(program, "example_inputs", None)
    leaves = tree.tree_leaves(given) if given else []
    return [tuple(leaf.shape) for leaf in leaves] if len(leaves) == count else [()] * count


def _tensor(
    name: str, value: Any, batched: bool, table: int | None, example: tuple[int, ...]
) -> Tensor:
    sizes = [size if isinstance(size, int) else -1 for size in value.shape]
    kind = str(value.dtype).removeprefix("torch.")
    if kind not in DATATYPES:
        what = f"the argument {name} is of {kind}, which Triton's clients cannot send"
        raise SlipwayError(what, fix=f"take {name} as float32 in the model, and convert it there")
    whole = kind.startswith(("int", "uint"))
    features = (Feature(name, 0, (table or 2) - 1, integer=True),) if whole else ()
    first = 1 if batched else 0
    return Tensor(name, DATATYPES[kind], tuple(sizes[first:]), features, example[first:])


def _table(program: Any) -> int | None:
    """Return the number of rows of its smallest table of embeddings."""
    sizes = [
        int(node.args[0].meta["val"].shape[0])
        for node in program.graph.nodes
        if str(node.target) == "aten.embedding.default"
    ]
    return min(sizes, default=None)


def _most_rows(program: Any, size: Any) -> int:
    limits = program.range_constraints.get(size.node.expr)
    upper = getattr(limits, "upper", None)
    try:
        return int(upper) if upper is not None else 0
    except (AttributeError, TypeError, ValueError, OverflowError):  # sympy's infinity
        return 0
