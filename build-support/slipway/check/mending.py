"""What ``--fix`` can add from a signature: the inputs and outputs that a config leaves out."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.check.finding import Edit
from slipway.check.graphs import graphs_of
from slipway.check.shapes import dims_of
from slipway.check.subject import Config
from slipway.signature import Tensor


def mends_for_missing_io(read: Config) -> tuple[Edit, ...]:
    """The fields ``input`` and ``output`` that ``read`` lacks altogether, as its ONNX graph has them.

    Empty where nothing is missing, or where the graph is unknown or does not determine them.
    """
    if read.message is None:
        return ()
    signatures = [graph.signature for graph in graphs_of(read, read.message)]
    if not signatures or signatures[-1] is None:
        return ()
    batches = read.message.max_batch_size > 0
    sides = {"input": signatures[-1].inputs, "output": signatures[-1].outputs}
    missing = {side: each for side, each in sides.items() if not getattr(read.message, side)}
    if not all(_is_determined(tensor, batches) for each in missing.values() for tensor in each):
        return ()
    return tuple(read.added(io_text(side, each, batches)) for side, each in missing.items() if each)


def io_text(side: str, tensors: Sequence[Tensor], batches: bool) -> str:
    """The fields ``side`` ("input" or "output") of ``tensors``, whose ranks are known."""
    return "".join(_field(side, tensor, batches) for tensor in tensors)


def _is_determined(tensor: Tensor, batches: bool) -> bool:
    shape = tensor.shape
    if shape is None or not tensor.carried:
        return False
    return not batches or (len(shape) > 0 and not isinstance(shape[0], int))


def _field(side: str, tensor: Tensor, batches: bool) -> str:
    data_type = "STRING" if tensor.datatype == "BYTES" else tensor.datatype
    dims = dims_of(tensor, batches=batches)
    lines = [
        f'  name: "{tensor.name}"',
        f"  data_type: TYPE_{data_type}",
        f"  dims: [ {', '.join(map(str, dims)) or '1'} ]",
    ]
    if not dims and batches:  # no dims at all are no valid config
        lines.append("  reshape { shape: [ ] }")
    return "\n".join([f"{side} {{", *lines, "}\n"])
