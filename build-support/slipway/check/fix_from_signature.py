"""The inputs and outputs that ``--fix`` adds to a config, taken from the graph's signature."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Edit
from slipway.check.graphs import graphs_of_config
from slipway.check.shapes import dims_of
from slipway.signature import GraphTensor


def fixes_for_missing_io(config: ConfigFile, side: str) -> tuple[Edit, ...]:
    """Return the edit that adds the fields ``side`` ("input" or "output") as the graph has them.

    Empty where the config has such fields, the graph is not ONNX, is unknown, or does not determine
    them.
    """
    if config.message is None or getattr(config.message, side):
        return ()
    signatures = [graph.signature for graph in graphs_of_config(config, config.message)]
    if not signatures or signatures[-1] is None:
        return ()
    batches = config.message.max_batch_size > 0
    tensors = signatures[-1].inputs if side == "input" else signatures[-1].outputs
    if not tensors or not all(_is_determined(tensor, batches) for tensor in tensors):
        return ()
    return (config.append_field(io_text(side, tensors, batches)),)


def io_text(side: str, tensors: Sequence[GraphTensor], batches: bool) -> str:
    """Return the fields ``side`` ("input" or "output") of ``tensors``, whose ranks are known."""
    return "".join(_field(side, tensor, batches) for tensor in tensors)


def _is_determined(tensor: GraphTensor, batches: bool) -> bool:
    shape = tensor.shape
    if shape is None or not tensor.carried:
        return False
    return not batches or (len(shape) > 0 and not isinstance(shape[0], int))


def _field(side: str, tensor: GraphTensor, batches: bool) -> str:
    data_type = "STRING" if tensor.datatype == "BYTES" else tensor.datatype
    dims = dims_of(tensor, batches=batches)
    lines = [
        f'  name: "{tensor.name}"',
        f"  data_type: TYPE_{data_type}",
        f"  dims: [ {', '.join(map(str, dims)) or '1'} ]",
    ]
    if not dims and batches:  # a config without dims is not valid
        lines.append("  reshape { shape: [ ] }")
    return "\n".join([f"{side} {{", *lines, "}\n"])
