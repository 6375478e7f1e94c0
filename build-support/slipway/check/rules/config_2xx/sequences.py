"""SW22x: sequence batching."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slipway.check.finding import Found
from slipway.check.rule import rule
from slipway.check.rules.config_2xx.scheduling import SEQUENCE, sequences
from slipway.check.subject import Config, Subject
from slipway.triton import config
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
def sequence_control(subject: Subject) -> Iterator[Found]:
    """A control input without a name, given twice, or with values that say no false and true."""
    for each, _, said in sequences(subject):
        names: set[str] = set()
        kinds: set[int] = set()
        for number, control_input in enumerate(said.control_input):
            path: FieldPath = (SEQUENCE, "control_input", number)
            name = control_input.name
            if not name:
                yield Found(each.place(*path), "a control input without a name", 'name: "…"')
            elif name in names:
                yield Found(
                    each.value_place(*path, "name"),
                    f"there are two control inputs {name!r}",
                    "one control_input with both controls, or another name",
                )
            names.add(name)
            for position, control in enumerate(control_input.control):
                yield from _control(each, (*path, "control", position), control, kinds)
                kinds.add(control.kind)


@rule(
    "SW225",
    "correlation-type",
    reason="the load fails: “unexpected data type for control CONTROL_SEQUENCE_CORRID”",
    source=CORE,
)
def correlation_type(subject: Subject) -> Iterator[Found]:
    """A correlation id of a type that none has."""
    schema = config.schema()
    allowed = ["TYPE_UINT64", "TYPE_INT64", "TYPE_UINT32", "TYPE_INT32", "TYPE_STRING"]
    for each, _, said in sequences(subject):
        for number, control_input in enumerate(said.control_input):
            for position, control in enumerate(control_input.control):
                correlation = control.kind == control.CONTROL_SEQUENCE_CORRID
                if correlation and control.data_type not in map(schema.DataType.Value, allowed):
                    path = (SEQUENCE, "control_input", number, "control", position, "data_type")
                    yield Found(
                        each.place(*path),
                        "a correlation id has one of five data types",
                        f"data_type: {', '.join(allowed)}",
                    )


@rule(
    "SW226",
    "slot-utilization",
    reason="the load fails: “minimum slot utilization must be in range (0.0, 1.0]”",
    source=CORE,
)
def slot_utilization(subject: Subject) -> Iterator[Found]:
    """``minimum_slot_utilization`` is no share."""
    for each, _, said in sequences(subject):
        share = said.direct.minimum_slot_utilization
        if share < 0 or share > 1:
            yield Found(
                each.value_place(SEQUENCE, "direct", "minimum_slot_utilization"),
                f"minimum_slot_utilization is {share:g}",
                "from 0 to 1",
            )


@rule(
    "SW227",
    "initial-state",
    reason="the load fails: an initial state has to have its state's type and shape, and data",
    source="Triton core, sequence_batch_scheduler.cc (GenerateInitialStateData), and seen on 24.10",
)
def initial_state(subject: Subject) -> Iterator[Found]:
    """An initial state that does not fit its state."""
    for each, _, said in sequences(subject):
        names: set[str] = set()
        for number, state in enumerate(said.state):
            path: FieldPath = (SEQUENCE, "state", number, "initial_state")
            for position, initial in enumerate(state.initial_state):
                wrong = _initial_state(subject, each, state, initial)
                if position == 1:
                    wrong = "a state has one initial state"
                elif not wrong and state.input_name in names:
                    wrong = f"there are two states with the input {state.input_name!r}"
                if wrong:
                    yield Found(
                        each.place(*path, position), wrong, "the state's data_type and dims"
                    )
            names |= {state.input_name} if state.initial_state else set()


@rule(
    "SW229",
    "batching-strategy",
    reason="the load fails: a batching library is for the dynamic batcher, and has to be there",
    source="Triton core, backend_model.cc (Create), and seen on 24.10",
)
def batching_strategy(subject: Subject) -> Iterator[Found]:
    """``TRITON_BATCH_STRATEGY_PATH`` beside sequence batching."""
    for each, message, _ in sequences(subject):
        if STRATEGY in message.parameters:
            yield Found(
                each.place("parameters", STRATEGY),
                f"{STRATEGY} and sequence_batching",
                "remove one of them",
            )


def _control(each: Config, path: FieldPath, control: Any, kinds: set[int]) -> Iterator[Found]:
    name = control.Kind.Name(control.kind) if control.kind in control.Kind.values() else "?"
    given = [field for field in VALUES if getattr(control, field)]
    if control.kind in kinds:
        yield Found(each.place(*path), f"{name} is given twice", "keep one of them")
    elif control.kind == control.CONTROL_SEQUENCE_CORRID:
        for field in given:
            yield Found(
                each.place(*path, field), f"{name} has no false and true", f"remove {field}"
            )
    elif len(given) != 1:
        what = f"{name} has {' and '.join(given) or 'no values for false and true'}"
        yield Found(each.place(*path), what, f"one of {', '.join(VALUES)}")
    elif len(getattr(control, given[0])) != 2:
        what = f"{given[0]} has {len(getattr(control, given[0]))} values, not two"
        yield Found(each.place(*path, given[0]), what, f"{given[0]}: [ 0, 1 ]")


def _initial_state(subject: Subject, each: Config, state: Any, initial: Any) -> str:
    """What is wrong with it."""
    dims, wanted = list(initial.dims), list(state.dims)
    if initial.data_type != state.data_type:
        return "it has another data_type than its state"
    if not initial.name:
        return "it has no name"
    if len(dims) != len(wanted):
        return f"it has {len(dims)} dims, its state {len(wanted)}"
    if -1 in dims:
        return "it has variable dims"
    if any(size not in (-1, own) for size, own in zip(wanted, dims, strict=True)):
        return f"it has the dims {dims}, its state {wanted}"
    if initial.WhichOneof("state_data") is None:
        return "it has no data: zero_data or data_file"
    file = each.directory / "initial_state" / initial.data_file
    if initial.data_file and not subject.lone and not file.is_file():
        return f"there is no file {file}"
    return ""
