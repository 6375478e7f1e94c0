"""SW22x: dynamic batching, and what goes with batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slipway.check.finding import Found
from slipway.check.rule import rule
from slipway.check.subject import Config, Subject
from slipway.triton import config
from slipway.triton.config import ModelConfig
from slipway.triton.pbtxt import FieldPath

CORE = "Triton core, model_config_utils.cc (ValidateModelConfig), and seen on 24.10"
BATCHING = "dynamic_batching"
SEQUENCE = "sequence_batching"
BATCHING_SOURCES = "Triton core, model_config_utils.cc (ValidateBatchIO), and seen on 24.10"


def batching(subject: Subject) -> Iterator[tuple[Config, ModelConfig, Any]]:
    """The models with dynamic batching."""
    for each, message in subject.parsed.values():
        if message.HasField(BATCHING):
            yield each, message, message.dynamic_batching


def sequences(subject: Subject) -> Iterator[tuple[Config, ModelConfig, Any]]:
    """The models with sequence batching."""
    for each, message in subject.parsed.values():
        if message.HasField(SEQUENCE):
            yield each, message, message.sequence_batching


@rule(
    "SW220",
    "batching-without-batches",
    severity="warning",
    reason="every request is run alone: the batcher has nothing to put together",
    source="Triton core, dynamic_batch_scheduler.cc, and seen on 24.10",
)
def batching_without_batches(subject: Subject) -> Iterator[Found]:
    """``dynamic_batching`` where ``max_batch_size`` is 0."""
    for each, message, said in batching(subject) if not subject.lone else ():
        if message.max_batch_size == 0 and not said.preferred_batch_size:
            yield Found(
                each.place(BATCHING),
                "dynamic_batching, and max_batch_size is 0",
                "set max_batch_size, or remove dynamic_batching",
            )


@rule(
    "SW221",
    "preferred-batch-size",
    reason="the load fails: “preferred size must be <= max batch size”, or “must be positive”",
    source=CORE,
)
def preferred_batch_size(subject: Subject) -> Iterator[Found]:
    """A preferred batch size that no batch can have."""
    wanted: list[tuple[Config, ModelConfig, FieldPath, Any]]
    wanted = [(each, message, (BATCHING,), said) for each, message, said in batching(subject)]
    wanted += [
        (each, message, (SEQUENCE, "oldest"), said.oldest)
        for each, message, said in sequences(subject)
    ]
    for each, message, path, said in wanted:
        unsaid = subject.lone and message.max_batch_size == 0
        for number, size in enumerate(said.preferred_batch_size):
            if size <= 0 or (size > message.max_batch_size and not unsaid):
                yield Found(
                    each.value_place(*path, "preferred_batch_size", number),
                    f"preferred_batch_size {size}, and max_batch_size is {message.max_batch_size}",
                    "from 1 to max_batch_size",
                )


@rule(
    "SW222",
    "priority-levels",
    reason="the load fails: “default priority level must be in range”",
    source=CORE,
)
def priority_levels(subject: Subject) -> Iterator[Found]:
    """A priority level beyond ``priority_levels``."""
    for each, _, said in batching(subject):
        levels = said.priority_levels
        if levels and not 1 <= said.default_priority_level <= levels:
            yield Found(
                each.place(BATCHING, "default_priority_level"),
                f"default_priority_level is {said.default_priority_level}",
                f"from 1 to {levels}",
            )
        for level in said.priority_queue_policy if levels else ():
            if not 1 <= level <= levels:
                yield Found(
                    each.place(BATCHING, "priority_queue_policy", str(level)),
                    f"there is no priority level {level}",
                    f"from 1 to {levels}",
                )


@rule(
    "SW223",
    "ordering-and-priorities",
    reason="the load fails: requests that wait longer, or go first, do not stay in order",
    source=CORE,
)
def ordering_and_priorities(subject: Subject) -> Iterator[Found]:
    """``preserve_ordering`` beside what reorders."""
    for each, _, said in batching(subject):
        if not said.preserve_ordering:
            continue
        if said.priority_levels > 1:
            yield Found(
                each.place(BATCHING, "priority_levels"),
                f"preserve_ordering and {said.priority_levels} priority levels",
                "remove one of them",
            )
        policies: list[tuple[FieldPath, Any]]
        policies = [((BATCHING, "default_queue_policy"), said.default_queue_policy)]
        policies += [
            ((BATCHING, "priority_queue_policy", str(level), "value"), policy)
            for level, policy in sorted(said.priority_queue_policy.items())
        ]
        for path, policy in policies:
            if policy.default_timeout_microseconds and policy.timeout_action == policy.DELAY:
                yield Found(
                    each.place(*path, "timeout_action"),
                    "preserve_ordering, and a request that times out is delayed",
                    "timeout_action: REJECT, or remove preserve_ordering",
                )


@rule(
    "SW228",
    "response-cache",
    reason="the load fails: “Response Cache does not currently support…”",
    source=CORE,
)
def response_cache(subject: Subject) -> Iterator[Found]:
    """The response cache on a model whose answers depend on more than the request."""
    for each, message in subject.parsed.values():
        if not message.response_cache.enable:
            continue
        for cannot, field in (
            (message.HasField(SEQUENCE), SEQUENCE),
            (message.model_transaction_policy.decoupled, "model_transaction_policy.decoupled"),
        ):
            if cannot:
                yield Found(
                    each.place("response_cache"), f"response_cache and {field}", "remove one"
                )


@rule(
    "SW245",
    "batch-tensors",
    reason="the load fails: “unknown source input name”, or “expects 1 source input”",
    source=BATCHING_SOURCES,
)
def batch_tensors(subject: Subject) -> Iterator[Found]:
    """``batch_input`` or ``batch_output`` of tensors that the model does not have."""
    for each, message in subject.parsed.values():
        names = {
            kind: {tensor.name for tensor in getattr(message, kind)} for kind in ("input", "output")
        }
        for field in ("batch_input", "batch_output"):
            for number, said in enumerate(getattr(message, field)):
                path: FieldPath = (field, number)
                if len(said.source_input) != 1:
                    what = f"{field} has {len(said.source_input)} source inputs"
                    yield Found(each.place(*path, "source_input"), what, "it takes one")
                for position, name in enumerate(said.source_input):
                    if name not in names["input"] and not (subject.lone and not names["input"]):
                        yield Found(
                            each.value_place(*path, "source_input", position),
                            f"there is no input {name!r}",
                            f"one of {', '.join(sorted(names['input']))}",
                        )
                yield from _targets(subject, each, path, said, names["output"])


def _targets(
    subject: Subject, each: Config, path: FieldPath, said: Any, outputs: set[str]
) -> Iterator[Found]:
    if path[0] == "batch_input":
        if said.data_type not in map(config.schema().DataType.Value, ("TYPE_INT32", "TYPE_FP32")):
            yield Found(
                each.place(*path, "data_type"),
                "a batch input is of TYPE_INT32 or TYPE_FP32",
                "data_type: TYPE_FP32",
            )
        return
    for position, name in enumerate(said.target_name):
        if name in said.target_name[:position]:
            what = f"the target {name!r} is given twice"
        elif name not in outputs and not (subject.lone and not outputs):
            what = f"there is no output {name!r}"
        else:
            continue
        place = each.value_place(*path, "target_name", position)
        yield Found(place, what, f"one of {', '.join(sorted(outputs))}")
