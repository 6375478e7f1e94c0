"""SW41x: every tensor of an ensemble is written once, and is read."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.tensors.flow import Flow, TensorUse, did_you_mean, flows, listed, nearest

CORE = "Triton core, model_config_utils.cc (ValidateEnsembleSchedulingConfig), and seen on 24.10"


@rule("SW410", "unread-input", reason="the load fails: “ensemble input … is not used”", source=CORE)
def unread_input(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs of the ensemble that no step reads."""
    for flow in flows(model):
        for name in _unexplained(flow):
            if name in flow.inputs:
                yield RuleHit(
                    flow.inputs[name].location,
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
def written_twice(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that get their value from two sources."""
    for flow in flows(model):
        for name in flow.names:
            sources = flow.sources(name)
            for use in sources[1:]:
                closest = nearest(name, _unwritten(flow))
                yield RuleHit(
                    use.location,
                    f"{use.step} writes {name!r}, which is {_source(sources[0])} already",
                    f"did you mean {closest!r}?" if closest else "give it a name of its own",
                )


@rule(
    "SW412",
    "never-written",
    reason="the load fails: “is not written”, “is not connected”, or “is not used”",
    source=CORE,
)
def never_written(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that are read or returned, and that no step writes."""
    for flow in flows(model):
        unread = _unread(flow)
        for name in _missing(flow):
            written = [tensor for tensor in flow.names if flow.sources(tensor)]
            closest = nearest(name, unread) or (unread[0] if len(unread) == 1 else None)
            otherwise = f"write it in a step; the written tensors are: {listed(written)}"
            fix = did_you_mean(name, written, otherwise)
            if closest is not None:
                fix = f"did you mean {closest!r}?"
            for use in flow.uses(name)[:1]:
                reader = f"{use.step} reads" if use.step else "the ensemble returns"
                yield RuleHit(use.location, f"{reader} {name!r}, which no step writes", fix)


@rule(
    "SW413",
    "cycle",
    reason="the load fails: “is not written: at least one of its depending tensors … is not"
    " connected”",
    source=CORE,
)
def cycle(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find steps that wait for each other."""
    for flow in flows(model):
        steps = flow.cycle()
        if steps:
            first = steps[0][0]
            path = "".join(f"{step} –{name}→ " for step, name in steps)
            yield RuleHit(
                flow.config.location(*first.path),
                f"steps wait for each other: {path}{first}",
                "take one of these tensors from another step",
            )


@rule(
    "SW414",
    "unused-tensor",
    reason="the load fails: “ensemble tensor … is unused”",
    source=CORE,
)
def unused_tensor(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that a step writes and that are never read, and steps without any reader."""
    for flow in flows(model):
        unread = set(_unexplained(flow))
        for step in flow.steps:
            written = sorted(step.definition.output_map.items())
            unused = [(key, name) for key, name in written if name in unread - set(flow.inputs)]
            if len(unused) == len(written) > 0:
                yield RuleHit(
                    flow.config.location(*step.path),
                    f"no output of {step} is read: {listed(name for _, name in unused)}",
                    "remove the step, or read or return one of its outputs",
                )
                continue
            for key, name in unused:
                yield RuleHit(
                    flow.config.value_location(*step.path, "output_map", key, "value"),
                    f"{name!r}, which {step} writes, is never read",
                    "remove the entry from the output_map, or read or return the tensor",
                )


def _source(use: TensorUse) -> str:
    return f"written by {use.step}" if use.step else "an input of the ensemble"


def _unwritten(flow: Flow) -> list[str]:
    return [name for name in flow.names if not flow.sources(name)]


def _missing(flow: Flow) -> list[str]:
    """Return the unwritten tensors, except those that explain a tensor that is written twice."""
    unwritten = _unwritten(flow)
    for name in flow.names:
        for _ in flow.sources(name)[1:] if unwritten else ():
            unwritten.remove(nearest(name, unwritten) or unwritten[0])
    return unwritten


def _unread(flow: Flow) -> list[str]:
    """Return tensors with a value that is never read; a step must read the ensemble's inputs."""
    returned = set(flow.outputs) - (set(flow.inputs) - set(flow.writers))
    return [name for name in flow.names if name not in {*flow.readers, *returned}]


def _unexplained(flow: Flow) -> list[str]:
    """Return the unread tensors that no other finding explains.

    A misspelled name creates one tensor that is never written and one that is never read. That is
    one mistake, reported where it is read. The same holds for a step's input that is not fed.
    """
    unread = _unread(flow)
    for name in [*_missing(flow), *_unfed(flow)]:
        if unread:
            unread.remove(nearest(name, unread) or unread[0])
    return unread


def _unfed(flow: Flow) -> list[str]:
    return [
        name
        for step in flow.steps
        for name, tensor in step.tensors("input_map").items()
        if name not in step.definition.input_map and not tensor.optional
    ]
