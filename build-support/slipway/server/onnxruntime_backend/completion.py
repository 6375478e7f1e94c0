"""What the native backend adds to a config that lists no inputs or no outputs.

onnxruntime_backend, src/onnxruntime.cc: ModelState::AutoCompleteConfig, AutoCompleteMaxBatch and
AutoCompleteIO. The messages are its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slipway.server.onnxruntime_backend import validation

# the core's default-max-batch-size (backend_model.cc), which the endpoint does not change
DEFAULT_BATCH = 4


def is_complete(config: dict[str, Any]) -> bool:
    """Return whether the backend leaves the config as it is."""
    return bool((config.get("input") or config.get("batch_input")) and config.get("output"))


def complete(config: dict[str, Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Add what ``config`` lacks, from the graph's nodes (onnxruntime.NodeArg).

    Raises:
        ValueError: the config has batches, and the graph has not.
    """
    if all(node.shape and not isinstance(node.shape[0], int) for node in (*inputs, *outputs)):
        config["max_batch_size"] = config.get("max_batch_size") or DEFAULT_BATCH
        if config["max_batch_size"] > 1 and "sequence_batching" not in config:
            config.setdefault("dynamic_batching", {})
    elif config.get("max_batch_size"):
        raise ValueError(
            f"autofill failed for model '{config['name']}': model does not support batching while"
            " non-zero max_batch_size is specified"
        )
    given = {"input": config.get("input") or config.get("batch_input"), "output": config["output"]}
    for side, nodes in (("input", inputs), ("output", outputs)):
        if not given[side]:
            config[side] = [_tensor(node, config["max_batch_size"] > 0) for node in nodes]


def _tensor(node: Any, batches: bool) -> dict[str, Any]:
    dims = [size if isinstance(size, int) else -1 for size in node.shape][int(batches) :]
    scalar: dict[str, Any] = {"reshape": {"shape": []}} if batches and not dims else {}
    data_type = validation.DATA_TYPES.get(node.type, "TYPE_INVALID")
    return {"name": node.name, "data_type": data_type, "dims": dims or [1], **scalar}
