"""SW25x: labels of outputs, and ragged batches of inputs."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.config_2xx.tensors import tensors
from slipway.triton.config import FILE_NAME

POINTER = ".dvc"


@rule(
    "SW250",
    "labels",
    reason="the load fails: “failed to open text file for read”",
    source="Triton core, model.cc (Init), and seen on 24.10",
)
def labels(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``label_filename`` that is not a file of the model directory."""
    for tensor in tensors(model) if not model.is_single_config else ():
        name = tensor.message.label_filename if tensor.kind == "output" else ""
        if not name:
            continue
        file = tensor.config.directory / name
        pointer = file.with_name(f"{file.name}{POINTER}")
        inside = file.resolve().is_relative_to(tensor.config.directory.resolve())
        if not inside or not (file.is_file() or pointer.is_file()):
            yield RuleHit(
                tensor.config.value_location(*tensor.path, "label_filename"),
                (
                    f"there is no file {name!r} in {tensor.config.directory}"
                    if inside
                    else f"{name!r} is outside the model directory"
                ),
                f"put it next to {FILE_NAME}",
            )


@rule(
    "SW254",
    "no-labels",
    reason="a client that requests classes gets them without their names",
    source="Triton core, label_provider.cc, and seen on 24.10",
)
def no_labels(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``label_filename`` that is an empty file."""
    for tensor in tensors(model):
        name = tensor.message.label_filename if tensor.kind == "output" else ""
        file = tensor.config.directory / name
        if name and file.is_file() and not file.read_bytes().strip():
            yield RuleHit(
                tensor.config.value_location(*tensor.path, "label_filename"),
                f"{name!r} has no labels",
                "write one name per line, in the order of the values",
            )


@rule(
    "SW251",
    "ragged-without-batches",
    severity="warning",
    reason="it has no effect, since a model without batches has no ragged ones",
    source="Triton, docs/user_guide/ragged_batching.md, and seen on 24.10",
)
def ragged_without_batches(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ``allow_ragged_batch`` where ``max_batch_size`` is 0."""
    for tensor in tensors(model) if not model.is_single_config else ():
        message = tensor.config.message
        is_ragged = tensor.kind == "input" and tensor.message.allow_ragged_batch
        if is_ragged and message is not None and message.max_batch_size == 0:
            yield RuleHit(
                tensor.config.location(*tensor.path, "allow_ragged_batch"),
                f"{tensor} allows ragged batches, and max_batch_size is 0",
                "set max_batch_size, or remove allow_ragged_batch",
            )
