"""The models of the Python backend: which of their files run, and which tensors they exchange."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.model_files import loaded_versions
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import PythonCode, analyse
from slipway.check.python.imports import imports_in
from slipway.check.python_file import PythonFile
from slipway.triton.config import ModelConfig

MODEL_FILE = "model.py"


@dataclass(frozen=True)
class PythonModel:
    """One loaded version of a model of the Python backend.

    ``entries`` are the files that the server imports: one, or none if it is missing. ``files`` are
    these and the model's own files that they import; ``sources`` are those that parse.
    ``takes_requests`` is whether requests can reach this version.
    """

    config: ConfigFile
    message: ModelConfig
    entries: tuple[PythonFile, ...]
    files: tuple[PythonFile, ...]
    sources: tuple[PythonCode, ...]
    takes_requests: bool

    @property
    def inputs(self) -> set[str]:
        """Return the names of the tensors that a request may hold."""
        message = self.message
        controls = (c.name for c in message.sequence_batching.control_input if c.control)
        states = (state.input_name for state in message.sequence_batching.state)
        batch = (name for tensor in message.batch_input for name in tensor.target_name)
        return {*(tensor.name for tensor in message.input), *controls, *states, *batch}

    @property
    def outputs(self) -> set[str]:
        """Return the names of the tensors that a response may hold."""
        message = self.message
        states = (state.output_name for state in message.sequence_batching.state)
        batch = (name for tensor in message.batch_output for name in tensor.target_name)
        return {*(tensor.name for tensor in message.output), *states, *batch}

    @property
    def calls_models(self) -> bool:
        """Return whether it calls other models (BLS)."""
        return any(True for code in self.sources for _ in code.calls("InferenceRequest"))


@lru_cache(maxsize=1)  # all rules of one folder share it, then those of the next folder
def python_models(model: ModelUnderCheck) -> list[PythonModel]:
    """Return the loaded versions of the Python models whose config parses."""
    loaded = []
    for name, files in model.modules.items():
        config, message = model.parsed[name]
        file_name = message.default_model_filename or MODEL_FILE
        versions = loaded_versions(config, message)
        requested = _requested_versions(model, config, versions)
        for version in versions:
            others = [path for path in config.versions if path != version]
            own = [f for f in files if not any(f.path.is_relative_to(path) for path in others)]
            entries = [file for file in own if file.path == version / file_name]
            imported = _with_imports(entries, own)
            sources = [analyse(file) for file in imported if file.tree is not None]
            loaded.append(
                PythonModel(
                    config,
                    message,
                    tuple(entries),
                    tuple(imported),
                    tuple(sources),
                    version in requested,
                )
            )
    return loaded


def models_with_requests(model: ModelUnderCheck) -> list[PythonModel]:
    """Return those Python models that requests can reach."""
    return [python_model for python_model in python_models(model) if python_model.takes_requests]


def auto_completed(python_model: PythonModel) -> set[str]:
    """Return the tensors that ``auto_complete_config`` may add: any ``{"name": "X", …}``."""
    return {
        text
        for code in python_model.sources
        for node in code.index.of(ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if code.text(key) == "name" and (text := code.text(value))
    }


def _requested_versions(
    model: ModelUnderCheck, config: ConfigFile, versions: list[Path]
) -> list[Path]:
    """Return the versions with requests: the newest of the served model, those that steps name."""
    if model.served is config:
        return versions[-1:]
    steps = [
        step.model_version
        for _, message in model.parsed.values()
        for step in message.ensemble_scheduling.step
        if step.model_name == config.name
    ]
    named = [path for path in versions if int(path.name) in steps]
    newest = versions[-1:] if min(steps, default=-1) < 0 else []
    return [*named, *newest] if steps else versions


def _with_imports(entries: Iterable[PythonFile], files: Iterable[PythonFile]) -> list[PythonFile]:
    """Return the entries and those of the model's files that they import, directly or not."""
    by_stem: dict[str, list[PythonFile]] = {}
    for file in files:
        is_package = file.path.name == "__init__.py"
        stem = file.path.parent.name if is_package else file.path.stem
        by_stem.setdefault(stem, []).append(file)
    reached = list(entries)
    for file in reached:  # grows while it is walked
        parts = {
            part
            for _, name, _ in (imports_in(file.index) if file.tree else ())
            for part in name.split(".")
        }
        reached += [
            other
            for part in sorted(parts)
            for other in by_stem.get(part, ())
            if other not in reached
        ]
    return reached
