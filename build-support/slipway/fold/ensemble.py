"""Which step of an ensemble can be folded, how its tensors run, and the configs without it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.triton import config
from slipway.triton.config import ModelConfig, dtype_name, schema
from slipway.triton.pbtxt import Fields, Span

PYTHON, ONNX = "python", "onnxruntime"


@dataclass(frozen=True)
class Ensemble:
    """The ensemble in ``file``, with its text and the configs of its models by name."""

    file: Path
    text: str
    message: ModelConfig
    models: Mapping[str, ModelConfig]

    @property
    def steps(self) -> list[Any]:
        """Return its steps."""
        return list(self.message.ensemble_scheduling.step)

    def step(self, name: str) -> Any:
        """Return the step of the model ``name``.

        Raises:
            SlipwayError: there is none, or there are several.
        """
        found = [step for step in self.steps if step.model_name == name]
        if len(found) != 1:
            raise SlipwayError(
                f"cannot be folded: {len(found)} steps of the ensemble are {name!r}",
                where=str(self.file),
                fix="name one of: " + ", ".join(step.model_name for step in self.steps),
            )
        return found[0]

    def producer(self, tensor: str) -> Any | None:
        """Return the step that writes ``tensor``; ``None`` for an input of the ensemble."""
        return next((s for s in self.steps if tensor in s.output_map.values()), None)

    def is_answer(self, tensor: str) -> bool:
        """Return whether ``tensor`` is an output of the ensemble."""
        return any(output.name == tensor for output in self.message.output)

    def readers(self, tensor: str, other_than: str) -> list[Any]:
        """Return the steps that read ``tensor``, without that of the model ``other_than``."""
        return [
            s for s in self.steps if tensor in s.input_map.values() and s.model_name != other_than
        ]

    def depends(self, tensor: str, model: str) -> bool:
        """Return whether ``tensor`` is computed of what ``model`` writes."""
        step = self.producer(tensor)
        if step is None:
            return False
        inputs = step.input_map.values()
        return step.model_name == model or any(self.depends(each, model) for each in inputs)


def read_ensemble(file: Path, folders: Mapping[str, Path]) -> Ensemble:
    """Return the ensemble in ``file``; ``folders`` are those of its models.

    Raises:
        SlipwayError: it is no ensemble, or a model is missing.
    """
    message = config.load_config(file)
    models = {}
    for step in message.ensemble_scheduling.step:
        if step.model_name not in folders:
            raise SlipwayError(
                f"no model {step.model_name!r}",
                where=str(file),
                fix="slipway check names the model",
            )
        models[step.model_name] = config.load_config(folders[step.model_name] / config.FILE_NAME)
    return Ensemble(file, file.read_text(encoding="utf-8"), message, models)


def find_step(ensemble: Ensemble) -> str:
    """Return the Python model that comes last, behind another model.

    Raises:
        SlipwayError: there is none, or there are several.
    """
    found = []
    for step in ensemble.steps:
        last = not any(ensemble.readers(t, step.model_name) for t in step.output_map.values())
        behind = any(ensemble.producer(t) is not None for t in step.input_map.values())
        if ensemble.models[step.model_name].backend == PYTHON and last and behind:
            found.append(step.model_name)
    if len(found) != 1:
        raise SlipwayError(
            "cannot be folded: "
            + (f"{' and '.join(found)} come last" if found else "no Python model comes last"),
            where=str(ensemble.file),
            fix="a step is folded whose model runs Python behind another model, and answers",
        )
    return str(found[0])


def without_step(ensemble: Ensemble, name: str, changed: Mapping[str, Any]) -> str:
    """Return the ensemble's text without the step of ``name``; ``changed`` steps are replaced."""
    steps = [
        changed.get(step.model_name, step) for step in ensemble.steps if step.model_name != name
    ]
    fields = Fields(ensemble.text, schema().ModelConfig.DESCRIPTOR)
    texts: list[tuple[Span, str | None]] = []
    for number, step in enumerate(ensemble.steps):
        span = fields.spans[("ensemble_scheduling", "step", number)]
        if step.model_name == name:
            texts.append((span, None))
        elif changed.get(step.model_name, step) != step:
            new = changed[step.model_name]
            texts.append((span, step_text(new, list(_keys(fields, number)))))
    wanted = schema().ModelConfig()
    wanted.CopyFrom(ensemble.message)
    del wanted.ensemble_scheduling.step[:]
    wanted.ensemble_scheduling.step.extend(steps)
    return _checked(ensemble.text, texts, wanted, ensemble.file)


def with_tensors(
    file: Path, dropped: Iterable[str], inputs: Iterable[Any], outputs: Iterable[Any]
) -> str:
    """Return the text of a config with other tensors: outputs ``dropped``, and new ones.

    Comments and the rest stay as they are, unless the tensors are written as a list.
    """
    text = file.read_text(encoding="utf-8")
    message = config.load_config(file)
    gone = set(dropped)
    fields = Fields(text, schema().ModelConfig.DESCRIPTOR)
    spans = [fields.spans[("output", n)] for n in range(len(message.output))]
    texts: list[tuple[Span, str | None]] = [
        (span, None)
        for span, tensor in zip(spans, message.output, strict=True)
        if tensor.name in gone
    ]
    last_input = fields.spans[("input", len(message.input) - 1)].end
    new = "".join(f"\n{tensor_text('input', tensor)}" for tensor in inputs)
    texts.append((Span(last_input, last_input, last_input), new))
    new = "".join(f"\n{tensor_text('output', tensor)}" for tensor in outputs)
    texts.append((Span(spans[-1].end, spans[-1].end, spans[-1].end), new))
    wanted = schema().ModelConfig()
    wanted.CopyFrom(message)
    kept = [tensor for tensor in message.output if tensor.name not in gone]
    del wanted.output[:]
    wanted.output.extend([*kept, *outputs])
    wanted.input.extend(inputs)
    return _checked(text, texts, wanted, file)


def tensor_text(side: str, tensor: Any) -> str:
    """Return a tensor as a config has it."""
    dims = ", ".join(map(str, tensor.dims))
    kind = dtype_name(tensor.data_type)
    name = "STRING" if kind == "BYTES" else kind
    return f'{side} {{\n  name: "{tensor.name}"\n  data_type: TYPE_{name}\n  dims: [ {dims} ]\n}}'


def step_text(step: Any, order: Sequence[str] = ()) -> str:
    """Return a step as the templates write it, its tensors in the ``order`` that they had."""

    def place(entry: tuple[str, str]) -> tuple[int, str]:
        return (order.index(entry[0]) if entry[0] in order else len(order), entry[0])

    lines = [f'    model_name: "{step.model_name}"', f"    model_version: {step.model_version}"]
    for side, entries in (("input_map", step.input_map), ("output_map", step.output_map)):
        pairs = sorted(entries.items(), key=place)
        lines += [f'    {side} {{ key: "{key}" value: "{value}" }}' for key, value in pairs]
    return "step {\n" + "\n".join(lines) + "\n  }"


def _keys(fields: Fields, number: int) -> Iterator[str]:
    """Yield the tensors of a step, as its maps have them in the text."""
    for path in fields.spans:
        inside = path[:3] == ("ensemble_scheduling", "step", number) and len(path) == 5
        if inside and isinstance(path[4], str):
            yield path[4]


def _checked(text: str, texts: list[tuple[Span, str | None]], wanted: Any, file: Path) -> str:
    """Return a text with spans replaced, or as protobuf writes it where it would say otherwise."""
    edited = text
    for span, new in sorted(texts, key=lambda each: -each[0].start):
        start, end = span.start, span.end
        if new is None:
            line = edited.rfind("\n", 0, start) + 1
            rest = re.compile(r"[ \t]*\n").match(edited, end)
            if not edited[line:start].strip() and rest:
                start, end = line, rest.end()
        edited = edited[:start] + (new or "") + edited[end:]
    try:
        if config.parse_config(edited, where=str(file)) == wanted:
            return edited
    except SlipwayError:
        pass  # written as a list, whose commas remain
    return config.render(wanted)
