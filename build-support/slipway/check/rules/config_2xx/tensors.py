"""SW21x: inputs, outputs and the batch size of each model.

An unknown field may be the misspelled form of a missing one: then only the unknown one is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.fix.from_signature import fixes_for_missing_io
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.tensors.completion import batch_follows_weights, may_complete
from slipway.triton.config import schema
from slipway.triton.pbtxt import FieldPath

CORE = "Triton core, model_config_utils.cc (ValidateIOShape), and seen on 24.10"


class ConfigTensor(NamedTuple):
    """One input or output: its config, its message, and its field."""

    config: ConfigFile
    message: Any
    kind: str
    path: FieldPath

    def __str__(self) -> str:
        return f"{self.kind} {self.message.name!r}" if self.message.name else self.kind


def tensors(model: ModelUnderCheck) -> Iterator[ConfigTensor]:
    """Yield all inputs and outputs of all models."""
    for config, message in model.parsed.values():
        for kind in ("input", "output"):
            for number, tensor in enumerate(getattr(message, kind)):
                yield ConfigTensor(config, tensor, kind, (kind, number))


@rule(
    "SW210",
    "no-tensors",
    reason="the model is useless: every request fails, or its answer is empty",
    source="Triton core, infer_request.cc, and seen on 24.10",
)
def no_tensors(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models without inputs or without outputs, which the server does not complete."""
    policy = model.settings.explicit_tensors
    because = (
        "explicit_tensors in slipway.toml keeps the server from completing it"
        if policy
        else "the server does not complete it"
    )
    for config, message in model.parsed.values():
        for kind in ("input", "output") if not may_complete(model, config) else ():
            if not getattr(message, kind) and not config.fields.unknown:
                yield RuleHit(
                    config.location(),
                    f"it has no {kind}, and {because}",
                    f'{kind} {{ name: "…" data_type: TYPE_… dims: [ … ] }}',
                    fixes_for_missing_io(config, kind),
                )


@rule(
    "SW265",
    "served-tensors-not-listed",
    scope="slipway",
    severity="warning",
    reason="clients and tests do not know its types: a plain number is sent as INT64 or FP64",
    source="Slipway reads a release's interface from the config (model/config_interface.py)",
)
def served_tensors_not_listed(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a served model that leaves its inputs or outputs to the server."""
    served = model.served
    if served is None or served.message is None or not may_complete(model, served):
        return
    for kind in ("input", "output") if not model.is_single_config else ():
        if not getattr(served.message, kind) and not served.fields.unknown:
            yield RuleHit(
                served.location(),
                f"the served model leaves its {kind}s to the server",
                f'{kind} {{ name: "…" data_type: TYPE_… dims: [ … ] }}',
                fixes_for_missing_io(served, kind),
            )


@rule(
    "SW211",
    "implicit-batch-size",
    severity="warning",
    reason="it is 0, and a server with auto-complete on makes it 4 if the weights batch",
    source="Triton, docs/user_guide/model_configuration.md (Default Max Batch Size)",
)
def implicit_batch_size(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find configs without ``max_batch_size`` whose backend may derive it from the weights."""
    for config, message in model.parsed.values() if not model.is_single_config else ():
        missing = ("max_batch_size",) not in config.fields.spans and message.ByteSize()
        if missing and not config.fields.unknown and batch_follows_weights(config):
            yield RuleHit(
                config.location(),
                "max_batch_size is not set",
                "max_batch_size: 0 for no batches",
                (config.append_field("max_batch_size: 0\n"),),
            )


@rule(
    "SW212",
    "negative-batch-size",
    reason="the load fails: “'max_batch_size' must be non-negative value”",
    source=CORE,
)
def negative_batch_size(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``max_batch_size`` below 0."""
    for config, message in model.parsed.values():
        if message.max_batch_size < 0:
            yield RuleHit(
                config.value_location("max_batch_size"),
                f"max_batch_size is {message.max_batch_size}",
                "max_batch_size: 0 for no batches",
                (config.replace_field(("max_batch_size",), "max_batch_size: 0"),),
            )


@rule(
    "SW213",
    "tensor-without-name",
    reason="the load fails: “must specify 'name'”",
    source=CORE,
)
def tensor_without_name(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs and outputs without a name."""
    for tensor in tensors(model):
        if not tensor.message.name and not tensor.config.fields.unknown:
            yield RuleHit(
                tensor.config.location(*tensor.path), f"{tensor} has no name", 'name: "…"'
            )


@rule(
    "SW214",
    "input-twice",
    reason="every request fails: two inputs are expected, and only one can have the name",
    source="Triton core, infer_request.cc (ValidateRequestInputs), and seen on 24.10",
)
def input_twice(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs with the name of another input."""
    return (hit for _, hit in _duplicates(model, "input"))


@rule(
    "SW215",
    "tensor-without-type",
    reason="the load fails: “must specify 'data_type'”",
    source=CORE,
)
def tensor_without_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``data_type`` that is missing, ``TYPE_INVALID``, or an undefined number."""
    known = schema().DataType.values()
    for tensor in tensors(model):
        missing = not tensor.message.data_type and not may_be_omitted(model, tensor)
        if missing or tensor.message.data_type not in known:
            yield RuleHit(
                tensor.config.location(*tensor.path, "data_type"),
                f"{tensor} has no data type",
                "data_type: TYPE_FP32, or another",
            )


@rule(
    "SW252",
    "output-twice",
    severity="warning",
    reason="the first of them silently wins",
    source="Triton core, model.cc (Init), and seen on 24.10",
)
def output_twice(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find outputs with the name of another one, in models that are not a step."""
    return (hit for name, hit in _duplicates(model, "output") if name not in model.step_names)


@rule(
    "SW253",
    "output-of-a-step-twice",
    reason="the load fails: “multiple outputs in model … are mapped to the same ensemble tensor”",
    source="Triton core, ensemble_utils.cc, and seen on 24.10",
)
def output_of_a_step_twice(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find outputs with the name of another one, in composing models."""
    return (hit for name, hit in _duplicates(model, "output") if name in model.step_names)


def _duplicates(model: ModelUnderCheck, kind: str) -> Iterator[tuple[str, RuleHit]]:
    """Yield the model's name and a hit for each name that occurs again."""
    seen: set[tuple[object, ...]] = set()
    for tensor in tensors(model):
        key = (tensor.config.path, tensor.message.name)
        if tensor.kind == kind and tensor.message.name and key in seen:
            location = tensor.config.value_location(*tensor.path, "name")
            what = f"there are two {kind}s {tensor.message.name!r}"
            yield tensor.config.name, RuleHit(location, what, "remove one, or rename it")
        if tensor.kind == kind:
            seen.add(key)


def may_be_omitted(model: ModelUnderCheck, tensor: ConfigTensor) -> bool:
    """Return whether the server may complete a missing field, or an unknown one may be meant."""
    return may_complete(model, tensor.config) or bool(tensor.config.fields.unknown)
