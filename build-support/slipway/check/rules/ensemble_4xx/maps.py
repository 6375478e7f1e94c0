"""SW404 to SW406, SW416 and SW417: the maps of an ensemble's steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.tensors.flow import EnsembleStep, MapName, did_you_mean, flows, listed

CORE = "Triton core, model_config_utils.cc, and seen on 24.10"
UTILS = "Triton core, ensemble_utils.cc, and seen on 24.10"
SIDES: tuple[tuple[MapName, str], ...] = (("input_map", "input"), ("output_map", "output"))


@rule(
    "SW404", "unknown-input", reason="the load fails: “mapping to non-existing input”", source=UTILS
)
def unknown_input(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find keys of an input_map that the step's model does not have."""
    return _unknown(model, *SIDES[0])


@rule(
    "SW405",
    "unknown-output",
    reason="the load fails: “mapped from non-existing output”",
    source=UTILS,
)
def unknown_output(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find keys of an output_map that the step's model does not have."""
    return _unknown(model, *SIDES[1])


@rule(
    "SW406",
    "input-not-fed",
    reason="the load fails: “is not mapped to any ensemble tensors”",
    source=UTILS,
)
def input_not_fed(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find required inputs of a composing model that the step's input_map leaves out."""
    for flow in flows(model):
        for step in flow.steps:
            inputs = step.tensors("input_map")
            # SW404 reports a misspelled key, SW417 a missing map
            unknown_keys = sum(key not in inputs for key in step.definition.input_map)
            if not step.definition.input_map:
                continue
            missing = [
                name
                for name, tensor in inputs.items()
                if name not in step.definition.input_map and not tensor.optional
            ]
            for name in missing[unknown_keys:]:
                yield RuleHit(
                    flow.config.location(*step.path),
                    f"{step} has an input {name!r} that no ensemble tensor is mapped to",
                    f'input_map {{ key: "{name}" value: … }}, or optional: true in the model',
                )


@rule(
    "SW417",
    "step-without-map",
    reason="the load fails: \"must specify 'input_map'\" or 'output_map'",
    source=CORE,
)
def step_without_map(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find steps that read nothing or write nothing."""
    for flow in flows(model):
        for step in flow.steps:
            for map_name, kind in SIDES:
                if step.definition.model_name and not getattr(step.definition, map_name):
                    names = listed(step.tensors(map_name))
                    yield RuleHit(
                        flow.config.location(*step.path),
                        f"{step} has no {map_name}",
                        f"map at least one {kind} of {step.definition.model_name}: {names}",
                    )


@rule(
    "SW416",
    "key-mapped-twice",
    reason="the last of them silently wins",
    source="protobuf's text format: the last entry of a map with equal keys wins; seen on 24.10",
    severity="warning",
)
def key_mapped_twice(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find maps with two entries of the same key."""
    for flow in flows(model):
        for step in flow.steps:
            for map_name, kind in SIDES:
                seen: set[str] = set()
                for key, path in _map_keys(flow.config, step, map_name):
                    if key in seen:
                        yield RuleHit(
                            flow.config.value_location(*path),
                            f"{step} maps its {kind} {key!r} twice",
                            "remove one of the two, or correct its key",
                        )
                    seen.add(key)


def _map_keys(
    config: ConfigFile, step: EnsembleStep, map_name: MapName
) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    number = 0
    while (path := (*step.path, map_name, number, "key")) in config.fields.spans:
        span = config.fields.spans[path]
        yield config.text[span.value : span.end].strip("\"'"), path
        number += 1


def _unknown(model: ModelUnderCheck, map_name: MapName, kind: str) -> Iterator[RuleHit]:
    for flow in flows(model):
        for step in flow.steps:
            tensors = step.tensors(map_name)
            if step.message is None or not tensors:
                continue
            entries = getattr(step.definition, map_name)
            for key in sorted(entries):
                if key not in tensors:
                    yield RuleHit(
                        flow.config.value_location(*step.path, map_name, key, "key"),
                        f"{step} has no {kind} {key!r}",
                        _meant(key, entries, tensors, kind),
                    )


def _meant(key: str, entries: Mapping[str, str], tensors: Iterable[str], kind: str) -> str:
    """Return the fix for a key that the model does not have; a key that is mapped is not meant."""
    free = [name for name in tensors if name not in entries]
    if not free:
        known = listed(tensors)
        return f"remove the entry, or add it to the model: all its {kind}s are mapped, {known}"
    if entries[key] in free:
        return f'exchange key and value: key: "{entries[key]}" value: "{key}"'
    return did_you_mean(key, free, f"the {kind}s that are not mapped yet: {listed(free)}")
