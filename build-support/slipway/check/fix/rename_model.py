"""Rename a Triton model everywhere it is named: directory, ``name``, steps, and calls in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Edit, Fix, Location, Move
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.model_names import find_model_names
from slipway.environment.shared.requirements import named_folders
from slipway.triton.config import ModelConfig
from slipway.triton.pbtxt import FieldPath

# a path of another model, as EXECUTION_ENV_PATH has it
BESIDE = "$$TRITON_MODEL_DIRECTORY/../"
# files of the repository that may name paths of a model
REPOSITORY_FILES = ("dvc.yaml", ".gitignore", ".dvcignore")
LARGEST_TEXT_BYTES = 1 << 20


@dataclass(frozen=True)
class Renaming:
    """What renames one model.

    ``uncertain`` are the places that may name the model in a way that was not understood: with any,
    the renaming may be incomplete.
    """

    edits: tuple[Edit, ...]
    move: Move
    uncertain: tuple[Location, ...]

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """Return the changes in the order in which they can be made."""
        return (*self.edits, self.move)


def rename_model(model: ModelUnderCheck, old: str, new: str) -> Renaming:
    """Return what renames the model ``old`` of a folder to ``new``.

    Args:
        model: the folder, whose configs and Python files are searched for the name.
        old: the name of one of its directories.
        new: a name that no directory of the folder has.
    """
    edits: list[Edit] = []
    uncertain: list[Location] = []
    for config in model.configs.values():
        if config.message is None:
            uncertain.append(Location(config.path))
            continue
        edits += _edits_of_config(config, config.message, old, new)
        uncertain += _unclear_parameters(config, config.message, old)
    tensors = {
        tensor.name
        for _, message in model.parsed.values()
        for tensor in (*message.input, *message.output)
    }
    for files in model.modules.values():
        names = find_model_names(files, old, ignored=tensors)
        edits += [Edit(*position, _quoted(new)) for position in names.positions]
        uncertain += names.uncertain
    uncertain += _files_with_paths(model, old)
    move = Move(model.folder / old, model.folder / new)
    return Renaming(tuple(edits), move, tuple(dict.fromkeys(uncertain)))


def _edits_of_config(
    config: ConfigFile, message: ModelConfig, old: str, new: str
) -> Iterator[Edit]:
    if config.name == old and message.name:
        yield _edit(config, ("name",), new)
    for number, step in enumerate(message.ensemble_scheduling.step):
        if step.model_name == old:
            yield _edit(config, ("ensemble_scheduling", "step", number, "model_name"), new)
    for key, parameter in message.parameters.items():
        value = parameter.string_value
        if value.startswith(f"{BESIDE}{old}/"):
            path: FieldPath = ("parameters", key, "value", "string_value")
            yield _edit(config, path, value.replace(f"{BESIDE}{old}/", f"{BESIDE}{new}/", 1))


def _unclear_parameters(config: ConfigFile, message: ModelConfig, old: str) -> Iterator[Location]:
    for key, parameter in message.parameters.items():
        value = parameter.string_value
        if not value.startswith(f"{BESIDE}{old}/") and _word(old).search(value):
            yield config.value_location("parameters", key, "value", "string_value")


def _files_with_paths(model: ModelUnderCheck, old: str) -> Iterator[Location]:
    """Yield where other files of folder and repository name a path of the model."""
    in_models = tuple(config.directory for config in model.configs.values())
    inside = re.compile(rf"(?<![\w.-]){re.escape(old)}/")
    for path in sorted(model.folder.rglob("*")):
        if not any(path.is_relative_to(directory) for directory in in_models):
            yield from _matches(path, inside)
    outside = re.compile(rf"{re.escape(model.name)}/{re.escape(old)}(?![\w.-])")
    for name in REPOSITORY_FILES:
        yield from _matches(model.settings.root / name, outside)
    for folder in named_folders(model.requirements):
        for path in sorted(folder.rglob("*.py")):
            yield from _matches(path, _word(old))


def _matches(path: Path, pattern: re.Pattern[str]) -> Iterator[Location]:
    if not path.is_file() or path.stat().st_size > LARGEST_TEXT_BYTES:
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    match = pattern.search(text)
    if match is not None:
        yield Location(path, text.count("\n", 0, match.start()) + 1)


def _edit(config: ConfigFile, path: FieldPath, text: str) -> Edit:
    span = config.fields.spans[path]
    return Edit(config.path, span.value, span.end, _quoted(text))


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")


def _quoted(text: str) -> str:
    return f'"{text}"'
