"""SW365 and SW366: numbers of a row that the FIL backend does not compare with its model."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from slipway.check.finding import RuleHit
from slipway.check.model_files import expected_names, loaded_versions
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.triton.checkpoint_head import SIZE, read_checkpoint_head
from slipway.triton.config import ModelConfig

FIL = "triton-inference-server/fil_backend"
INPUT = "input__0"


@rule(
    "SW365",
    "forest-input-size",
    reason="the backend reads rows of the model's features, whatever the request's: the answers are"
    " of other values, or the server ends",
    source=f"{FIL}, src/model.h and src/tl_model.h (predict); treelite, src/gtil/predict.cc",
)
def forest_input_size(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find checkpoints with another number of features than the input has."""
    for config, message in model.parsed.values():
        if config.backend != "fil" or message.max_batch_size == 0:
            continue
        for version in loaded_versions(config, message):
            for name in expected_names(config, message):
                file = version / name
                if not file.is_file():
                    continue
                with file.open("rb") as stream:
                    head = read_checkpoint_head(stream.read(SIZE))
                size = _size(message)
                if head is not None and head.features and size not in (None, head.features):
                    number = [tensor.name for tensor in message.input].index(INPUT)
                    yield RuleHit(
                        config.value_location("input", number, "dims"),
                        f"{INPUT} has {size} numbers a row, and {name} has {head.features}"
                        " features",
                        f"dims: [ {head.features} ]",
                    )


@rule(
    "SW366",
    "forest-without-batches",
    reason="the backend takes the first size of a request as the number of its rows, and reads as"
    " many rows of the model's features",
    source="rapidsai/rapids-triton, batch/batch.hpp (get_input_shape);"
    f" {FIL}, docs/model_config.md (Maximum Batch Size)",
)
def forest_without_batches(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find forests without batches whose input is one row."""
    for config, message in model.parsed.values():
        if config.backend != "fil" or message.max_batch_size:
            continue
        for number, tensor in enumerate(message.input):
            if tensor.name == INPUT and len(tensor.dims) == 1:
                yield RuleHit(
                    config.location("input", number, "dims"),
                    f"without batches, {INPUT} of one dimension is that many rows",
                    "max_batch_size: 1024",
                )


def _size(message: ModelConfig) -> int | None:
    """Return the numbers of a row; ``None`` if they are not known."""
    for tensor in message.input:
        if tensor.name == INPUT:
            dims = tensor.reshape.shape if tensor.HasField("reshape") else tensor.dims
            return None if any(size < 0 for size in dims) else prod(dims)
    return None
