"""What flows through an ensemble: which tensors its steps read and write, and at whose ends."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

from slipway.check.finding import Place
from slipway.check.subject import Config, Subject
from slipway.triton.config import ModelConfig

SCHEDULING = "ensemble_scheduling"
# a map of a step: a tensor of the model → a tensor of the ensemble
Map = Literal["input_map", "output_map"]


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``name`` was probably meant to be."""
    by_letters = {each.lower(): each for each in sorted(names)}
    close = difflib.get_close_matches(name.lower(), by_letters, n=1)
    return by_letters[close[0]] if close else None


def did_you_mean(name: str, names: Iterable[str], otherwise: str) -> str:
    """A fix for a name that is not among ``names``."""
    close = nearest(name, names)
    return f"did you mean {close!r}?" if close else otherwise


def listed(names: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(repr(name) for name in names) or "none"


@dataclass(frozen=True)
class StepOf:
    """One step: its number from 0, what it says, and its model if that is here and parses."""

    number: int
    said: Any
    path: tuple[str | int, ...]
    model: Config | None
    message: ModelConfig | None

    def __str__(self) -> str:
        return f"step {self.number + 1} ({self.said.model_name})"

    def tensors(self, which: Map) -> dict[str, Any]:
        """The model's inputs, or its outputs, by their names; empty where they are not known."""
        if self.message is None:
            return {}
        found = self.message.input if which == "input_map" else self.message.output
        return {tensor.name: tensor for tensor in found}


@dataclass(frozen=True)
class End:
    """Where an ensemble tensor is read or written: by the ensemble's caller, or by a step."""

    place: Place
    step: StepOf | None
    name: str  # of the model's tensor
    tensor: Any  # its ModelInput or ModelOutput; None where the model is not known
    batching: bool

    def __str__(self) -> str:
        return f"{self.name!r} of {self.step}" if self.step else f"the ensemble's {self.name!r}"

    @property
    def dims(self) -> list[int]:
        """The shape without the batch; a composing model's reshape is not seen from outside."""
        if self.step is None and self.tensor.HasField("reshape"):
            return list(self.tensor.reshape.shape)
        return list(self.tensor.dims)


@dataclass
class Flow:
    """The ensemble tensors of one ensemble, by name: ``inputs`` and ``outputs`` are its own."""

    config: Config
    message: ModelConfig
    steps: list[StepOf] = field(default_factory=list)
    inputs: dict[str, End] = field(default_factory=dict)
    outputs: dict[str, End] = field(default_factory=dict)
    readers: dict[str, list[End]] = field(default_factory=dict)
    writers: dict[str, list[End]] = field(default_factory=dict)

    def sources(self, name: str) -> list[End]:
        """The ends that give the tensor its value."""
        own = [self.inputs[name]] if name in self.inputs else []
        return own + self.writers.get(name, [])

    def ends(self, name: str) -> list[End]:
        """All ends of the tensor, those that give it its value first."""
        own = [self.outputs[name]] if name in self.outputs else []
        return self.sources(name) + self.readers.get(name, []) + own

    @property
    def names(self) -> list[str]:
        """All ensemble tensors."""
        return list(dict.fromkeys([*self.inputs, *self.writers, *self.readers, *self.outputs]))

    def cycle(self) -> list[tuple[StepOf, str]]:
        """Steps that wait for each other, each with the tensor by which it feeds the next one."""
        waits: dict[int, dict[int, str]] = {step.number: {} for step in self.steps}
        for name, readers in self.readers.items():
            for writer in self.writers.get(name, ()) if len(self.sources(name)) == 1 else ():
                for reader in readers:
                    assert writer.step is not None and reader.step is not None
                    waits[reader.step.number].setdefault(writer.step.number, name)
        try:
            TopologicalSorter(waits).prepare()
        except CycleError as error:
            found: list[int] = error.args[1]
            return [
                (self.steps[before], waits[after][before])
                for before, after in zip(found, found[1:], strict=False)
            ]
        return []


@lru_cache(maxsize=1)  # every rule of one folder asks, then those of the next
def flows(subject: Subject) -> list[Flow]:
    """The ensembles of a folder that parse and have steps."""
    return [
        _flow(subject, config, message)
        for config, message in subject.parsed.values()
        if config.is_ensemble and message.ensemble_scheduling.step
    ]


def _flow(subject: Subject, config: Config, message: ModelConfig) -> Flow:
    flow = Flow(config, message)
    batching = message.max_batch_size > 0
    for which, own, found in (
        ("input", message.input, flow.inputs),
        ("output", message.output, flow.outputs),
    ):
        for number, tensor in enumerate(own):
            place = config.value_place(which, number, "name")
            found.setdefault(tensor.name, End(place, None, tensor.name, tensor, batching))
    for number, said in enumerate(message.ensemble_scheduling.step):
        known = subject.parsed.get(said.model_name)
        model, its = known if known else (None, None)
        step = StepOf(number, said, (SCHEDULING, "step", number), model, its)
        flow.steps.append(step)
        for end, name in _ends(config, step, "input_map"):
            flow.readers.setdefault(name, []).append(end)
        for end, name in _ends(config, step, "output_map"):
            flow.writers.setdefault(name, []).append(end)
    return flow


def _ends(config: Config, step: StepOf, which: Map) -> list[tuple[End, str]]:
    tensors = step.tensors(which)
    batching = step.message is not None and step.message.max_batch_size > 0
    found = []
    for key, name in sorted(getattr(step.said, which).items()):
        place = config.value_place(*step.path, which, key, "value")
        found.append((End(place, step, key, tensors.get(key), batching), name))
    return found
