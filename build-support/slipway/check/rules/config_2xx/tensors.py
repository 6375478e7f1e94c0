"""SW21x: inputs, outputs and the batch size of each model.

Where a config has an unknown field, that may be the one that is missed: one mistake, one finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from slipway.check.finding import Found
from slipway.check.fix_from_signature import mends_for_missing_io
from slipway.check.rule import rule
from slipway.check.rules.layout_1xx.layout import steps
from slipway.check.subject import Config, Subject
from slipway.triton import config
from slipway.triton.pbtxt import FieldPath

CORE = "Triton core, model_config_utils.cc (ValidateIOShape), and seen on 24.10"
POINTER = ".dvc"


class Tensor(NamedTuple):
    """One input or output: its config, what it says, and where."""

    of: Config
    said: Any
    kind: str
    path: FieldPath

    def __str__(self) -> str:
        return f"{self.kind} {self.said.name!r}" if self.said.name else self.kind


def tensors(subject: Subject) -> Iterator[Tensor]:
    """All inputs and outputs of all models."""
    for each, message in subject.parsed.values():
        for kind in ("input", "output"):
            for number, said in enumerate(getattr(message, kind)):
                yield Tensor(each, said, kind, (kind, number))


@rule(
    "SW210",
    "no-tensors",
    reason="nothing can be asked of it: every request fails, or is answered with nothing",
    source="Triton core, infer_request.cc, and seen on 24.10 with auto-complete off",
)
def no_tensors(subject: Subject) -> Iterator[Found]:
    """A model without inputs or without outputs, which nobody fills in."""
    for each, message in subject.parsed.values() if not subject.lone else ():
        for kind in ("input", "output"):
            if not getattr(message, kind) and not each.fields.unknown:
                yield Found(
                    each.place(),
                    f"it has no {kind}: the server runs with auto-complete off",
                    f'{kind} {{ name: "…" data_type: TYPE_… dims: [ … ] }}',
                    mends_for_missing_io(each, kind),
                )


@rule(
    "SW211",
    "implicit-batch-size",
    severity="warning",
    reason="it is 0 where auto-complete is off; where it is on, weights that take batches make it 4",
    source="Triton, docs/user_guide/model_configuration.md (Default Max Batch Size)",
)
def implicit_batch_size(subject: Subject) -> Iterator[Found]:
    """``max_batch_size`` is left out."""
    for each, message in subject.parsed.values() if not subject.lone else ():
        unsaid = ("max_batch_size",) not in each.fields.spans and message.ByteSize()
        if unsaid and not each.fields.unknown:
            yield Found(
                each.place(),
                "max_batch_size is not said",
                "max_batch_size: 0 for no batches",
                (each.added("max_batch_size: 0\n"),),
            )


@rule(
    "SW212",
    "negative-batch-size",
    reason="the load fails: “'max_batch_size' must be non-negative value”",
    source=CORE,
)
def negative_batch_size(subject: Subject) -> Iterator[Found]:
    """``max_batch_size`` is below 0."""
    for each, message in subject.parsed.values():
        if message.max_batch_size < 0:
            yield Found(
                each.value_place("max_batch_size"),
                f"max_batch_size is {message.max_batch_size}",
                "0 for no batches",
            )


@rule(
    "SW213",
    "tensor-without-name",
    reason="the load fails: “must specify 'name'”",
    source=CORE,
)
def tensor_without_name(subject: Subject) -> Iterator[Found]:
    """An input or output without a name."""
    for tensor in tensors(subject):
        if not tensor.said.name and not tensor.of.fields.unknown:
            yield Found(tensor.of.place(*tensor.path), f"{tensor} has no name", 'name: "…"')


@rule(
    "SW214",
    "input-twice",
    reason="every request fails: two inputs are expected, and only one can have the name",
    source="Triton core, infer_request.cc (ValidateRequestInputs), and seen on 24.10",
)
def input_twice(subject: Subject) -> Iterator[Found]:
    """Two inputs of the same name."""
    return (found for _, found in _twice(subject, "input"))


@rule(
    "SW215",
    "tensor-without-type",
    reason="the load fails: “must specify 'data_type'”",
    source=CORE,
)
def tensor_without_type(subject: Subject) -> Iterator[Found]:
    """``data_type`` is left out, ``TYPE_INVALID``, or a number that stands for no type."""
    known = config.schema().DataType.values()
    for tensor in tensors(subject):
        unsaid = not tensor.said.data_type and not excused(subject, tensor)
        if unsaid or tensor.said.data_type not in known:
            yield Found(
                tensor.of.place(*tensor.path, "data_type"),
                f"{tensor} has no data type",
                "data_type: TYPE_FP32, or another",
            )


@rule(
    "SW250",
    "labels",
    reason="the load fails: “failed to open text file for read”",
    source="Triton core, model.cc (Init), and seen on 24.10",
)
def labels(subject: Subject) -> Iterator[Found]:
    """``label_filename`` names no file of the model directory."""
    for tensor in tensors(subject) if not subject.lone else ():
        name = tensor.said.label_filename if tensor.kind == "output" else ""
        if not name:
            continue
        file = tensor.of.directory / name
        pointer = file.with_name(f"{file.name}{POINTER}")
        inside = file.resolve().is_relative_to(tensor.of.directory.resolve())
        if not inside or not (file.is_file() or pointer.is_file()):
            yield Found(
                tensor.of.value_place(*tensor.path, "label_filename"),
                (
                    f"there is no file {name!r} in {tensor.of.directory}"
                    if inside
                    else f"{name!r} leads out of the model directory"
                ),
                f"put it beside {config.FILE_NAME}",
            )


@rule(
    "SW254",
    "no-labels",
    reason="a client that asks for the classes gets them without their names",
    source="Triton core, label_provider.cc, and seen on 24.10",
)
def no_labels(subject: Subject) -> Iterator[Found]:
    """``label_filename`` names an empty file."""
    for tensor in tensors(subject):
        name = tensor.said.label_filename if tensor.kind == "output" else ""
        file = tensor.of.directory / name
        if name and file.is_file() and not file.read_bytes().strip():
            yield Found(
                tensor.of.value_place(*tensor.path, "label_filename"),
                f"{name!r} holds no label",
                "one name a line, in the order of the values",
            )


@rule(
    "SW251",
    "ragged-without-batches",
    severity="warning",
    reason="without batches there is nothing to be ragged: it does nothing",
    source="Triton, docs/user_guide/ragged_batching.md, and seen on 24.10",
)
def ragged_without_batches(subject: Subject) -> Iterator[Found]:
    """``allow_ragged_batch`` where ``max_batch_size`` is 0."""
    for tensor in tensors(subject) if not subject.lone else ():
        message = tensor.of.message
        if tensor.kind == "input" and tensor.said.allow_ragged_batch:
            if message is not None and message.max_batch_size == 0:
                yield Found(
                    tensor.of.place(*tensor.path, "allow_ragged_batch"),
                    f"{tensor} allows ragged batches, and max_batch_size is 0",
                    "set max_batch_size, or remove it",
                )


@rule(
    "SW252",
    "output-twice",
    severity="warning",
    reason="the first of them counts, without a word",
    source="Triton core, model.cc (Init), and seen on 24.10",
)
def output_twice(subject: Subject) -> Iterator[Found]:
    """Two outputs of the same name, of a model that is no ensemble's step."""
    composing = steps(subject)
    return (found for name, found in _twice(subject, "output") if name not in composing)


@rule(
    "SW253",
    "output-of-a-step-twice",
    reason="the load fails: “multiple outputs in model … are mapped to the same ensemble tensor”",
    source="Triton core, ensemble_utils.cc, and seen on 24.10",
)
def output_of_a_step_twice(subject: Subject) -> Iterator[Found]:
    """Two outputs of the same name, of a composing model."""
    composing = steps(subject)
    return (found for name, found in _twice(subject, "output") if name in composing)


def _twice(subject: Subject, kind: str) -> Iterator[tuple[str, Found]]:
    """Names that are given twice, by the model's name."""
    seen: set[tuple[object, ...]] = set()
    for tensor in tensors(subject):
        key = (tensor.of.path, tensor.said.name)
        if tensor.kind == kind and tensor.said.name and key in seen:
            place = tensor.of.value_place(*tensor.path, "name")
            what = f"there are two {kind}s {tensor.said.name!r}"
            yield tensor.of.name, Found(place, what, "remove one, or rename it")
        if tensor.kind == kind:
            seen.add(key)


def excused(subject: Subject, tensor: Tensor) -> bool:
    """Whether what it leaves out may be completed, or is what it has an unknown field for."""
    return subject.lone or bool(tensor.of.fields.unknown)
