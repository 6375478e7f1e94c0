"""The data flow of an ensemble: which tensors its steps read and write."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, Literal

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.tensors.completion import may_complete
from slipway.triton.config import ModelConfig

SCHEDULING = "ensemble_scheduling"
# a map of a step: a tensor of the model → a tensor of the ensemble
MapName = Literal["input_map", "output_map"]


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of ``names`` that ``name`` probably misspells, or ``None``."""
    by_letters = {candidate.lower(): candidate for candidate in sorted(names)}
    close = difflib.get_close_matches(name.lower(), by_letters, n=1)
    return by_letters[close[0]] if close else None


def did_you_mean(name: str, names: Iterable[str], otherwise: str) -> str:
    """Return a fix for a name that is not among ``names``."""
    close = nearest(name, names)
    return f"did you mean {close!r}?" if close else otherwise


def listed(names: Iterable[str]) -> str:
    """Return the names, quoted and joined for a message."""
    return ", ".join(repr(name) for name in names) or "none"


@dataclass(frozen=True)
class EnsembleStep:
    """One step: its number from 0, its definition, and its model's config if that parses.

    ``message`` is ``None`` as well where the server completes it with what is not known here.
    """

    number: int
    definition: Any
    path: tuple[str | int, ...]
    config: ConfigFile | None
    message: ModelConfig | None

    def __str__(self) -> str:
        return f"step {self.number + 1} ({self.definition.model_name})"

    def tensors(self, map_name: MapName) -> dict[str, Any]:
        """Return the model's inputs or outputs by their names; empty if they are unknown."""
        if self.message is None:
            return {}
        tensors = self.message.input if map_name == "input_map" else self.message.output
        return {tensor.name: tensor for tensor in tensors}


@dataclass(frozen=True)
class TensorUse:
    """Where an ensemble tensor is read or written: by the ensemble's caller, or by a step."""

    location: Location
    step: EnsembleStep | None
    name: str  # of the model's tensor
    tensor: Any  # its ModelInput or ModelOutput; None if the model is unknown
    batching: bool

    def __str__(self) -> str:
        return f"{self.name!r} of {self.step}" if self.step else f"the ensemble's {self.name!r}"

    @property
    def dims(self) -> list[int]:
        """Return the shape without the batch; a composing model's reshape is internal to it."""
        if self.step is None and self.tensor.HasField("reshape"):
            return list(self.tensor.reshape.shape)
        return list(self.tensor.dims)


@dataclass
class Flow:
    """The ensemble tensors of one ensemble, by name: ``inputs`` and ``outputs`` are its own."""

    config: ConfigFile
    message: ModelConfig
    steps: list[EnsembleStep] = field(default_factory=list)
    inputs: dict[str, TensorUse] = field(default_factory=dict)
    outputs: dict[str, TensorUse] = field(default_factory=dict)
    readers: dict[str, list[TensorUse]] = field(default_factory=dict)
    writers: dict[str, list[TensorUse]] = field(default_factory=dict)

    def sources(self, name: str) -> list[TensorUse]:
        """Return the uses that give the tensor its value."""
        own = [self.inputs[name]] if name in self.inputs else []
        return own + self.writers.get(name, [])

    def uses(self, name: str) -> list[TensorUse]:
        """Return all uses of the tensor, those that give it its value first."""
        own = [self.outputs[name]] if name in self.outputs else []
        return self.sources(name) + self.readers.get(name, []) + own

    @property
    def names(self) -> list[str]:
        """Return the names of all ensemble tensors."""
        return list(dict.fromkeys([*self.inputs, *self.writers, *self.readers, *self.outputs]))

    def cycle(self) -> list[tuple[EnsembleStep, str]]:
        """Return steps that wait for each other, each with the tensor that it feeds to the next."""
        waits: dict[int, dict[int, str]] = {step.number: {} for step in self.steps}
        for name, readers in self.readers.items():
            for writer in self.writers.get(name, ()) if len(self.sources(name)) == 1 else ():
                for reader in readers:
                    assert writer.step is not None and reader.step is not None
                    waits[reader.step.number].setdefault(writer.step.number, name)
        try:
            TopologicalSorter(waits).prepare()
        except CycleError as error:
            numbers: list[int] = error.args[1]
            return [(self.steps[a], waits[b][a]) for a, b in pairwise(numbers)]
        return []


@lru_cache(maxsize=1)  # all rules of one folder share it, then those of the next folder
def flows(model: ModelUnderCheck) -> list[Flow]:
    """Return the ensembles of a folder that parse and have steps."""
    return [
        _flow(model, config, message)
        for config, message in model.parsed.values()
        if config.is_ensemble and message.ensemble_scheduling.step
    ]


def _flow(model: ModelUnderCheck, config: ConfigFile, message: ModelConfig) -> Flow:
    flow = Flow(config, message)
    batching = message.max_batch_size > 0
    for kind, tensors, uses in (
        ("input", message.input, flow.inputs),
        ("output", message.output, flow.outputs),
    ):
        for number, tensor in enumerate(tensors):
            location = config.value_location(kind, number, "name")
            uses.setdefault(tensor.name, TensorUse(location, None, tensor.name, tensor, batching))
    for number, definition in enumerate(message.ensemble_scheduling.step):
        parsed = model.parsed.get(definition.model_name)
        step_config, step_message = parsed if parsed else (None, None)
        if step_config and step_message is step_config.message and may_complete(model, step_config):
            step_message = None
        path = (SCHEDULING, "step", number)
        step = EnsembleStep(number, definition, path, step_config, step_message)
        flow.steps.append(step)
        for use, name in _step_uses(config, step, "input_map"):
            flow.readers.setdefault(name, []).append(use)
        for use, name in _step_uses(config, step, "output_map"):
            flow.writers.setdefault(name, []).append(use)
    return flow


def _step_uses(
    config: ConfigFile, step: EnsembleStep, map_name: MapName
) -> list[tuple[TensorUse, str]]:
    tensors = step.tensors(map_name)
    batching = step.message is not None and step.message.max_batch_size > 0
    uses = []
    entries = getattr(step.definition, map_name)
    for key, name in sorted(entries.items()):
        location = config.value_location(*step.path, map_name, key, "value")
        if key not in tensors and name in tensors and name not in entries:
            key, name = name, key  # exchanged, as SW404 and SW405 report
        uses.append((TensorUse(location, step, key, tensors.get(key), batching), name))
    return uses
