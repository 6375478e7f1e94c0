"""SW404 to SW406, SW416 and SW417: the maps of an ensemble's steps."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import Found
from slipway.check.flow import Map, StepOf, flows, listed, nearest
from slipway.check.rule import rule
from slipway.check.subject import Config, Subject

CORE = "Triton core, model_config_utils.cc, and seen on 24.10"
UTILS = "Triton core, ensemble_utils.cc, and seen on 24.10"
SIDES: tuple[tuple[Map, str], ...] = (("input_map", "input"), ("output_map", "output"))


@rule(
    "SW404", "unknown-input", reason="the load fails: “mapping to non-existing input”", source=UTILS
)
def unknown_input(subject: Subject) -> Iterator[Found]:
    """A key of an input_map that the step's model does not have."""
    return _unknown(subject, *SIDES[0])


@rule(
    "SW405",
    "unknown-output",
    reason="the load fails: “mapped from non-existing output”",
    source=UTILS,
)
def unknown_output(subject: Subject) -> Iterator[Found]:
    """A key of an output_map that the step's model does not have."""
    return _unknown(subject, *SIDES[1])


@rule(
    "SW406",
    "input-not-fed",
    reason="the load fails: “is not mapped to any ensemble tensors”",
    source=UTILS,
)
def input_not_fed(subject: Subject) -> Iterator[Found]:
    """A required input of a composing model that the step's input_map leaves out."""
    for flow in flows(subject):
        for step in flow.steps:
            inputs = step.tensors("input_map")
            # a key that is spelled wrong is SW404's, a map that is missing SW417's
            wrong = sum(key not in inputs for key in step.said.input_map)
            if not step.said.input_map:
                continue
            missing = [
                name
                for name, tensor in inputs.items()
                if name not in step.said.input_map and not tensor.optional
            ]
            for name in missing[wrong:]:
                yield Found(
                    flow.config.place(*step.path),
                    f"{step} has an input {name!r} that nothing is mapped to",
                    f'input_map {{ key: "{name}" value: … }}, or optional: true in the model',
                )


@rule(
    "SW417",
    "step-without-map",
    reason="the load fails: \"must specify 'input_map'\" or 'output_map'",
    source=CORE,
)
def step_without_map(subject: Subject) -> Iterator[Found]:
    """A step that reads nothing or writes nothing."""
    for flow in flows(subject):
        for step in flow.steps:
            for which, kind in SIDES:
                if step.said.model_name and not getattr(step.said, which):
                    names = listed(step.tensors(which))
                    yield Found(
                        flow.config.place(*step.path),
                        f"{step} has no {which}",
                        f"map at least one {kind} of {step.said.model_name}: {names}",
                    )


@rule(
    "SW416",
    "key-mapped-twice",
    reason="the last of them is taken, without a word",
    source="protobuf's text format: the last entry of a map with equal keys stays; seen on 24.10",
    severity="warning",
)
def key_mapped_twice(subject: Subject) -> Iterator[Found]:
    """Two entries of one map with the same key."""
    for flow in flows(subject):
        for step in flow.steps:
            for which, kind in SIDES:
                seen: set[str] = set()
                for key, place in _keys(flow.config, step, which):
                    if key in seen:
                        yield Found(
                            flow.config.value_place(*place),
                            f"{step} maps its {kind} {key!r} twice",
                            "remove one of the two, or correct its key",
                        )
                    seen.add(key)


def _keys(config: Config, step: StepOf, which: Map) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    number = 0
    while (path := (*step.path, which, number, "key")) in config.fields.spans:
        span = config.fields.spans[path]
        yield config.text[span.value : span.end].strip("\"'"), path
        number += 1


def _unknown(subject: Subject, which: Map, kind: str) -> Iterator[Found]:
    for flow in flows(subject):
        for step in flow.steps:
            tensors = step.tensors(which)
            if step.message is None or not tensors:
                continue
            # of two close names the one that is not mapped yet is meant
            free = [name for name in tensors if name not in getattr(step.said, which)]
            for key in sorted(getattr(step.said, which)):
                if key in tensors:
                    continue
                close = nearest(key, free) or nearest(key, tensors)
                known = listed(tensors)
                yield Found(
                    flow.config.value_place(*step.path, which, key, "key"),
                    f"{step} has no {kind} {key!r}",
                    f"did you mean {close!r}?" if close else f"its {kind}s are: {known}",
                )
