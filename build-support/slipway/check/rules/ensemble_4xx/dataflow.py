"""SW41x: every tensor of an ensemble is written once, and read."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import Found
from slipway.check.flow import End, Flow, did_you_mean, flows, listed, nearest
from slipway.check.rule import rule
from slipway.check.subject import Subject

CORE = "Triton core, model_config_utils.cc (ValidateEnsembleSchedulingConfig), and seen on 24.10"


@rule("SW410", "unread-input", reason="the load fails: “ensemble input … is not used”", source=CORE)
def unread_input(subject: Subject) -> Iterator[Found]:
    """An input of the ensemble that no step reads."""
    for flow in flows(subject):
        for name in _spare(flow):
            if name in flow.inputs:
                yield Found(
                    flow.inputs[name].place,
                    f"no step reads the ensemble's input {name!r}",
                    "map it to a step's input, or remove it",
                )


@rule(
    "SW411",
    "written-twice",
    reason="the load fails: “can appear in an output map only once”; one that writes to an input"
    " of the ensemble loads, and requests are never answered",
    source=CORE,
)
def written_twice(subject: Subject) -> Iterator[Found]:
    """A tensor that gets its value from two places."""
    for flow in flows(subject):
        for name in flow.names:
            sources = flow.sources(name)
            for end in sources[1:]:
                close = nearest(name, _unwritten(flow))
                yield Found(
                    end.place,
                    f"{end.step} writes {name!r}, which is {_source(sources[0])} already",
                    f"did you mean {close!r}?" if close else "give it a name of its own",
                )


@rule(
    "SW412",
    "never-written",
    reason="the load fails: “is not written”, “is not connected”, or “is not used”",
    source=CORE,
)
def never_written(subject: Subject) -> Iterator[Found]:
    """A tensor that is read, or answered, and that nothing gives a value."""
    for flow in flows(subject):
        spare = _loose(flow)
        for name in _missing(flow):
            written = [each for each in flow.names if flow.sources(each)]
            close = nearest(name, spare) or (spare[0] if len(spare) == 1 else None)
            fix = did_you_mean(name, written, f"write it in a step; written are: {listed(written)}")
            if close is not None:
                fix = f"did you mean {close!r}?"
            for end in flow.ends(name)[:1]:
                reader = f"{end.step} reads" if end.step else "the ensemble answers"
                yield Found(end.place, f"{reader} {name!r}, which nothing writes", fix)


@rule(
    "SW413",
    "cycle",
    reason="the load fails: “is not written: at least one of its depending tensors … is not connected”",
    source=CORE,
)
def cycle(subject: Subject) -> Iterator[Found]:
    """Steps that wait for each other."""
    for flow in flows(subject):
        found = flow.cycle()
        if found:
            way = "".join(f"{step} –{name}→ " for step, name in found)
            yield Found(
                flow.config.place(*found[0][0].path),
                f"steps wait for each other: {way}{found[0][0]}",
                "take one of these tensors from another step",
            )


@rule(
    "SW414",
    "unused-tensor",
    reason="the load fails: “ensemble tensor … is unused”",
    source=CORE,
)
def unused_tensor(subject: Subject) -> Iterator[Found]:
    """A tensor that a step writes and nobody reads; or a step of which nobody reads anything."""
    for flow in flows(subject):
        spare = set(_spare(flow))
        for step in flow.steps:
            written = sorted(step.said.output_map.items())
            unused = [(key, name) for key, name in written if name in spare - set(flow.inputs)]
            if len(unused) == len(written) > 0:
                yield Found(
                    flow.config.place(*step.path),
                    f"nobody uses what {step} writes: {listed(name for _, name in unused)}",
                    "remove the step, or read or answer what it writes",
                )
                continue
            for key, name in unused:
                yield Found(
                    flow.config.value_place(*step.path, "output_map", key, "value"),
                    f"nobody reads {name!r}, which {step} writes",
                    "remove the entry from the output_map, or read or answer the tensor",
                )


def _source(end: End) -> str:
    return f"written by {end.step}" if end.step else "an input of the ensemble"


def _unwritten(flow: Flow) -> list[str]:
    return [name for name in flow.names if not flow.sources(name)]


def _missing(flow: Flow) -> list[str]:
    """Of the unwritten tensors, those that are not missing because another is written twice."""
    unwritten = _unwritten(flow)
    for name in flow.names:
        for _ in flow.sources(name)[1:] if unwritten else ():
            unwritten.remove(nearest(name, unwritten) or unwritten[0])
    return unwritten


def _loose(flow: Flow) -> list[str]:
    """Tensors with a value that nobody reads; the ensemble's inputs have to be read by a step."""
    answered = set(flow.outputs) - (set(flow.inputs) - set(flow.writers))
    return [name for name in flow.names if name not in {*flow.readers, *answered}]


def _spare(flow: Flow) -> list[str]:
    """Of the loose tensors, those that no other finding speaks of.

    A misspelled name makes one tensor that nothing writes and one that nobody reads: that is one
    mistake, told where it is read. The same holds for an input of a step that is not fed.
    """
    spare = _loose(flow)
    for name in [*_missing(flow), *_unfed(flow)]:
        if spare:
            spare.remove(nearest(name, spare) or spare[0])
    return spare


def _unfed(flow: Flow) -> list[str]:
    return [
        name
        for step in flow.steps
        for name, tensor in step.tensors("input_map").items()
        if name not in step.said.input_map and not tensor.optional
    ]
