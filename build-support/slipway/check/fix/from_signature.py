"""The inputs and outputs that ``--fix`` adds to a config, taken from the graph's signature."""

from __future__ import annotations

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Edit
from slipway.check.graph_completion import io_text, is_determined
from slipway.check.tensors.graphs import graphs_of_config


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
    if not tensors or not all(is_determined(tensor, batches) for tensor in tensors):
        return ()
    return (config.append_field(io_text(side, tensors, batches)),)
