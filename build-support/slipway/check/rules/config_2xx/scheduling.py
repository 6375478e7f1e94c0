"""SW22x: dynamic batching, and settings that depend on batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.triton.config import ModelConfig, schema
from slipway.triton.pbtxt import FieldPath

CORE = "Triton core, model_config_utils.cc (ValidateModelConfig), and seen on 24.10"
BATCHING = "dynamic_batching"
SEQUENCE = "sequence_batching"
BATCHING_SOURCES = "Triton core, model_config_utils.cc (ValidateBatchIO), and seen on 24.10"


def batching_configs(model: ModelUnderCheck) -> Iterator[tuple[ConfigFile, ModelConfig, Any]]:
    """Yield the configs with dynamic batching."""
    for config, message in model.parsed.values():
        if message.HasField(BATCHING):
            yield config, message, message.dynamic_batching


def sequence_configs(model: ModelUnderCheck) -> Iterator[tuple[ConfigFile, ModelConfig, Any]]:
    """Yield the configs with sequence batching."""
    for config, message in model.parsed.values():
        if message.HasField(SEQUENCE):
            yield config, message, message.sequence_batching


@rule(
    "SW220",
    "batching-without-batches",
    severity="warning",
    reason="every request is executed alone: the batcher has no batches to form",
    source="Triton core, dynamic_batch_scheduler.cc, and seen on 24.10",
)
def batching_without_batches(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ``dynamic_batching`` where ``max_batch_size`` is 0."""
    for config, message, settings in batching_configs(model) if not model.is_single_config else ():
        if message.max_batch_size == 0 and not settings.preferred_batch_size:
            yield RuleHit(
                config.location(BATCHING),
                "dynamic_batching, and max_batch_size is 0",
                "set max_batch_size, or remove dynamic_batching",
            )


@rule(
    "SW221",
    "preferred-batch-size",
    reason="the load fails: “preferred size must be <= max batch size”, or “must be positive”",
    source=CORE,
)
def preferred_batch_size(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find preferred batch sizes that no batch can have."""
    with_sizes: list[tuple[ConfigFile, ModelConfig, FieldPath, Any]]
    with_sizes = [
        (config, message, (BATCHING,), settings)
        for config, message, settings in batching_configs(model)
    ]
    with_sizes += [
        (config, message, (SEQUENCE, "oldest"), settings.oldest)
        for config, message, settings in sequence_configs(model)
    ]
    for config, message, path, settings in with_sizes:
        undetermined = model.is_single_config and message.max_batch_size == 0
        for number, size in enumerate(settings.preferred_batch_size):
            if size <= 0 or (size > message.max_batch_size and not undetermined):
                yield RuleHit(
                    config.value_location(*path, "preferred_batch_size", number),
                    f"preferred_batch_size {size}, and max_batch_size is {message.max_batch_size}",
                    "a size from 1 to max_batch_size",
                )


@rule(
    "SW222",
    "priority-levels",
    reason="the load fails: “default priority level must be in range”",
    source=CORE,
)
def priority_levels(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find priority levels beyond ``priority_levels``."""
    for config, _, settings in batching_configs(model):
        levels = settings.priority_levels
        if levels and not 1 <= settings.default_priority_level <= levels:
            yield RuleHit(
                config.location(BATCHING, "default_priority_level"),
                f"default_priority_level is {settings.default_priority_level}",
                f"a level from 1 to {levels}",
            )
        for level in settings.priority_queue_policy if levels else ():
            if not 1 <= level <= levels:
                yield RuleHit(
                    config.location(BATCHING, "priority_queue_policy", str(level)),
                    f"there is no priority level {level}",
                    f"a level from 1 to {levels}",
                )


@rule(
    "SW223",
    "ordering-and-priorities",
    reason="the load fails: delayed or prioritised requests do not keep their order",
    source=CORE,
)
def ordering_and_priorities(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ``preserve_ordering`` together with a setting that reorders requests."""
    for config, _, settings in batching_configs(model):
        if not settings.preserve_ordering:
            continue
        if settings.priority_levels > 1:
            yield RuleHit(
                config.location(BATCHING, "priority_levels"),
                f"preserve_ordering and {settings.priority_levels} priority levels",
                "remove one of them",
            )
        policies: list[tuple[FieldPath, Any]]
        policies = [((BATCHING, "default_queue_policy"), settings.default_queue_policy)]
        policies += [
            ((BATCHING, "priority_queue_policy", str(level), "value"), policy)
            for level, policy in sorted(settings.priority_queue_policy.items())
        ]
        for path, policy in policies:
            if policy.default_timeout_microseconds and policy.timeout_action == policy.DELAY:
                yield RuleHit(
                    config.location(*path, "timeout_action"),
                    "preserve_ordering, and a request that times out is delayed",
                    "timeout_action: REJECT, or remove preserve_ordering",
                )


@rule(
    "SW228",
    "response-cache",
    reason="the load fails: “Response Cache does not currently support…”",
    source=CORE,
)
def response_cache(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find the response cache on models whose answers depend on more than the request."""
    for config, message in model.parsed.values():
        if not message.response_cache.enable:
            continue
        for excluded, field in (
            (message.HasField(SEQUENCE), SEQUENCE),
            (message.model_transaction_policy.decoupled, "model_transaction_policy.decoupled"),
        ):
            if excluded:
                yield RuleHit(
                    config.location("response_cache"),
                    f"response_cache and {field}",
                    "remove one of them",
                )


@rule(
    "SW245",
    "batch-tensors",
    reason="the load fails: “unknown source input name”, or “expects 1 source input”",
    source=BATCHING_SOURCES,
)
def batch_tensors(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``batch_input`` or ``batch_output`` of tensors that the model does not have."""
    for config, message in model.parsed.values():
        names = {
            kind: {tensor.name for tensor in getattr(message, kind)} for kind in ("input", "output")
        }
        for field in ("batch_input", "batch_output"):
            for number, batch in enumerate(getattr(message, field)):
                path: FieldPath = (field, number)
                if len(batch.source_input) != 1:
                    what = f"{field} has {len(batch.source_input)} source inputs"
                    yield RuleHit(config.location(*path, "source_input"), what, "list one")
                for position, name in enumerate(batch.source_input):
                    if name in names["input"] or (model.is_single_config and not names["input"]):
                        continue
                    yield RuleHit(
                        config.value_location(*path, "source_input", position),
                        f"there is no input {name!r}",
                        f"one of {', '.join(sorted(names['input']))}",
                    )
                yield from _targets(model, config, path, batch, names["output"])


def _targets(
    model: ModelUnderCheck, config: ConfigFile, path: FieldPath, batch: Any, outputs: set[str]
) -> Iterator[RuleHit]:
    if path[0] == "batch_input":
        if batch.data_type not in map(schema().DataType.Value, ("TYPE_INT32", "TYPE_FP32")):
            yield RuleHit(
                config.location(*path, "data_type"),
                "a batch input has another type than TYPE_INT32 and TYPE_FP32",
                "data_type: TYPE_FP32",
            )
        return
    for position, name in enumerate(batch.target_name):
        if name in batch.target_name[:position]:
            what = f"the target {name!r} is listed twice"
        elif name not in outputs and not (model.is_single_config and not outputs):
            what = f"there is no output {name!r}"
        else:
            continue
        location = config.value_location(*path, "target_name", position)
        yield RuleHit(location, what, f"one of {', '.join(sorted(outputs))}")
