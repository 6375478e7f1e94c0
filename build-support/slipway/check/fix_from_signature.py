"""What ``--fix`` can add from a signature: the inputs and outputs that a config leaves out."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.check.finding import Edit
from slipway.check.graphs import graphs_of
from slipway.check.shapes import dims_of
from slipway.check.subject import Config
from slipway.signature import Tensor


def mends_for_missing_io(read: Config, side: str) -> tuple[Edit, ...]:
    """The fields ``side`` ("input" or "output") that ``read`` lacks altogether, as its graph has them.

    Empty where the graph is not ONNX, is unknown, or does not determine them.
    """
    if read.message is None or getattr(read.message, side):
        return ()
    signatures = [graph.signature for graph in graphs_of(read, read.message)]
    if not signatures or signatures[-1] is None:
        return ()
    batches = read.message.max_batch_size > 0
    tensors = signatures[-1].inputs if side == "input" else signatures[-1].outputs
    if not tensors or not all(_is_determined(tensor, batches) for tensor in tensors):
        return ()
    return (read.added(io_text(side, tensors, batches)),)


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
