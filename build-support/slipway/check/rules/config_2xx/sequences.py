"""SW22x: sequence batching."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.config_2xx.scheduling import SEQUENCE, sequence_configs
from slipway.triton.config import schema
from slipway.triton.pbtxt import FieldPath

CORE = "Triton core, model_config_utils.cc (ValidateModelConfig), and seen on 24.10"
VALUES = ("int32_false_true", "fp32_false_true", "bool_false_true")
STRATEGY = "TRITON_BATCH_STRATEGY_PATH"


@rule(
    "SW224",
    "sequence-control",
    reason="the load fails: “sequence batching control tensor…”",
    source="Triton core, model_config_utils.cc (GetBooleanSequenceControlProperties), and seen on"
    " 24.10",
)
def sequence_control(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find control inputs without a name, listed twice, or without values for false and true."""
    for config, _, settings in sequence_configs(model):
        names: set[str] = set()
        kinds: set[int] = set()
        for number, control_input in enumerate(settings.control_input):
            path: FieldPath = (SEQUENCE, "control_input", number)
            name = control_input.name
            if not name:
                yield RuleHit(config.location(*path), "a control input without a name", 'name: "…"')
            elif name in names:
                yield RuleHit(
                    config.value_location(*path, "name"),
                    f"there are two control inputs {name!r}",
                    "one control_input with both controls, or another name",
                )
            names.add(name)
            for position, control in enumerate(control_input.control):
                yield from _control(config, (*path, "control", position), control, kinds)
                kinds.add(control.kind)


@rule(
    "SW225",
    "correlation-type",
    reason="the load fails: “unexpected data type for control CONTROL_SEQUENCE_CORRID”",
    source=CORE,
)
def correlation_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find correlation ids of a type that is not allowed."""
    allowed = ["TYPE_UINT64", "TYPE_INT64", "TYPE_UINT32", "TYPE_INT32", "TYPE_STRING"]
    values = {schema().DataType.Value(name) for name in allowed}
    for config, _, settings in sequence_configs(model):
        for number, control_input in enumerate(settings.control_input):
            for position, control in enumerate(control_input.control):
                correlation = control.kind == control.CONTROL_SEQUENCE_CORRID
                if correlation and control.data_type not in values:
                    path = (SEQUENCE, "control_input", number, "control", position, "data_type")
                    yield RuleHit(
                        config.location(*path),
                        "a correlation id has another data type than the five allowed ones",
                        f"data_type: one of {', '.join(allowed)}",
                    )


@rule(
    "SW226",
    "slot-utilization",
    reason="the load fails: “minimum slot utilization must be in range (0.0, 1.0]”",
    source=CORE,
)
def slot_utilization(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``minimum_slot_utilization`` that is not between 0 and 1."""
    for config, _, settings in sequence_configs(model):
        share = settings.direct.minimum_slot_utilization
        if share < 0 or share > 1:
            yield RuleHit(
                config.value_location(SEQUENCE, "direct", "minimum_slot_utilization"),
                f"minimum_slot_utilization is {share:g}",
                "a number from 0 to 1",
            )


@rule(
    "SW227",
    "initial-state",
    reason="the load fails: an initial state has to have its state's type and shape, and data",
    source="Triton core, sequence_batch_scheduler.cc (GenerateInitialStateData), and seen on 24.10",
)
def initial_state(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find initial states that do not fit their state."""
    for config, _, settings in sequence_configs(model):
        names: set[str] = set()
        for number, state in enumerate(settings.state):
            path: FieldPath = (SEQUENCE, "state", number, "initial_state")
            for position, initial in enumerate(state.initial_state):
                problem = _initial_state(model, config, state, initial)
                if position == 1:
                    problem = "a state has one initial state"
                elif not problem and state.input_name in names:
                    problem = f"there are two states with the input {state.input_name!r}"
                if problem:
                    fix = "give it the state's data_type and dims"
                    yield RuleHit(config.location(*path, position), problem, fix)
            names |= {state.input_name} if state.initial_state else set()


@rule(
    "SW229",
    "batching-strategy",
    reason="the load fails: a batching library works with the dynamic batcher only",
    source="Triton core, backend_model.cc (Create), and seen on 24.10",
)
def batching_strategy(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ``TRITON_BATCH_STRATEGY_PATH`` together with sequence batching."""
    for config, message, _ in sequence_configs(model):
        if STRATEGY in message.parameters:
            yield RuleHit(
                config.location("parameters", STRATEGY),
                f"{STRATEGY} and sequence_batching",
                "remove one of them",
            )


def _control(
    config: ConfigFile, path: FieldPath, control: Any, kinds: set[int]
) -> Iterator[RuleHit]:
    name = control.Kind.Name(control.kind) if control.kind in control.Kind.values() else "?"
    value_fields = [field for field in VALUES if getattr(control, field)]
    if control.kind in kinds:
        yield RuleHit(config.location(*path), f"{name} is listed twice", "keep one of them")
    elif control.kind == control.CONTROL_SEQUENCE_CORRID:
        for field in value_fields:
            yield RuleHit(
                config.location(*path, field), f"{name} has no false and true", f"remove {field}"
            )
    elif len(value_fields) != 1:
        what = f"{name} has {' and '.join(value_fields) or 'no values for false and true'}"
        yield RuleHit(config.location(*path), what, f"one of {', '.join(VALUES)}")
    elif len(getattr(control, value_fields[0])) != 2:
        what = f"{value_fields[0]} has {len(getattr(control, value_fields[0]))} values, not two"
        yield RuleHit(config.location(*path, value_fields[0]), what, f"{value_fields[0]}: [ 0, 1 ]")


def _initial_state(model: ModelUnderCheck, config: ConfigFile, state: Any, initial: Any) -> str:
    """Return what is wrong with an initial state; empty if it is valid."""
    dims, expected = list(initial.dims), list(state.dims)
    if initial.data_type != state.data_type:
        return "it has another data_type than its state"
    if not initial.name:
        return "it has no name"
    if len(dims) != len(expected):
        return f"it has {len(dims)} dims, its state {len(expected)}"
    if -1 in dims:
        return "it has variable dims"
    if any(size not in (-1, dim) for size, dim in zip(expected, dims, strict=True)):
        return f"it has the dims {dims}, its state {expected}"
    if initial.WhichOneof("state_data") is None:
        return "it has no data: zero_data or data_file"
    file = config.directory / "initial_state" / initial.data_file
    if initial.data_file and not model.is_single_config and not file.is_file():
        return f"there is no file {file}"
    return ""
