"""Write the files of one adopted folder: copies, renamed configs and code, weights under DVC."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from slipway.adopt.edits import edit_code, edit_config, load_called_models
from slipway.adopt.files import SourceFile
from slipway.adopt.plan import PlannedFolder, PlannedModel
from slipway.adopt.steps import Step
from slipway.adopt.weights import track_weights, write_pointer
from slipway.adopt.written_configs import config_of_weights, wrapping_ensemble
from slipway.check.foreign.config_text import ConfigText
from slipway.model.folder import VERSION_FILE
from slipway.model.weights import Weights
from slipway.scaffold import render
from slipway.triton.config import FILE_NAME


def fill_folder(folder: Path, planned: PlannedFolder, version: str, store: Weights) -> list[Step]:
    """Write everything but requirements and tests into ``folder``; return what is left to do."""
    (folder / "BUILD").write_text(render.BUILD, encoding="utf-8")
    (folder / VERSION_FILE).write_text(f"{version}\n", encoding="utf-8")
    steps: list[Step] = []
    for model in planned.models:
        directory = folder / model.name
        directory.mkdir()
        for file in model.files:
            steps += _write(file, directory, model, planned, store)
        if not (directory / FILE_NAME).exists():
            text = config_of_weights(model, directory)
            (directory / FILE_NAME).write_text(text, encoding="utf-8")
        _load_called(directory, model, planned)
        steps += _computed_calls(model, planned)
    _wrap(folder, planned)
    return steps


def _write(
    file: SourceFile, directory: Path, model: PlannedModel, planned: PlannedFolder, store: Weights
) -> list[Step]:
    target = directory / file.target
    if file.use == "left out":
        return []
    if file.use == "missing":
        return [_missing(file, target, planned.name)]
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.use == "config":
        assert model.source.config is not None
        return _write_config(model.source.config, target, model, planned)
    elif file.use == "pointer":
        return write_pointer(file, target, planned, model.source.backend, store)
    elif file.use == "tracked":
        _copy(file.path, target)
        return track_weights(target, file.path, planned, model.source.backend, store)
    elif file.path.suffix == ".py":
        _write_code(file.path, target, model, planned)
    else:
        _copy(file.path, target)
    return []


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(source, target, ignore=ignored)
    else:
        shutil.copyfile(source, target)


def _write_config(
    config: ConfigText, target: Path, model: PlannedModel, planned: PlannedFolder
) -> list[Step]:
    if not config.exact:
        shutil.copyfile(config.path, target)  # the check names the byte that is not UTF-8
        return []
    calls = bool(planned.group.calls[model.source.name].names)
    text = edit_config(config, model.name, planned.new_names, calls_models=calls)
    target.write_bytes(text.encode())
    return _unfilled(ConfigText(target, text), planned.name)


def _unfilled(config: ConfigText, folder: str) -> list[Step]:
    templates = config.templates
    if not templates:
        return []
    names = ", ".join(
        f"{text} (line {config.fields.position(at)[0]})" for text, at in templates.items()
    )
    line, column = config.fields.position(min(templates.values()))
    what = f"{len(templates)} template{'s' * (len(templates) > 1)} not filled in: {names}"
    first = next(iter(templates)).strip("${}<%=> ")
    fix = f"write the values there, or adopt it again with --set {first}=VALUE, and so for each"
    return [Step(folder, what, f"{config.path}:{line}:{column}", fix, "SW201")]


def _write_code(source: Path, target: Path, model: PlannedModel, planned: PlannedFolder) -> None:
    named = planned.group.calls[model.source.name].named
    if not any(place.file == source for place in named):
        shutil.copyfile(source, target)
        return
    with source.open(encoding="utf-8", newline="") as file:
        text = file.read()
    with target.open("w", encoding="utf-8", newline="") as file:
        file.write(edit_code(text, source, named, planned.new_names))


def _wrap(folder: Path, planned: PlannedFolder) -> None:
    """Write an ensemble around a model whose code calls the others."""
    text = None
    if planned.wrapper is not None:
        text = wrapping_ensemble(planned.wrapper, planned.models[0])
    if planned.wrapper is not None and text is not None:
        directory = folder / planned.wrapper
        directory.mkdir()
        (directory / FILE_NAME).write_text(text, encoding="utf-8")


def _load_called(directory: Path, model: PlannedModel, planned: PlannedFolder) -> None:
    """Let a model's code load what it calls: an endpoint loads an ensemble's steps alone."""
    calls = planned.group.calls[model.source.name]
    steps = {
        step.model_name
        for other in planned.models
        for step in other.source.message.ensemble_scheduling.step
    }
    names = calls.names - calls.loaded - steps
    wanted = sorted({planned.new_names[name] for name in names if name in planned.new_names})
    for code in _entry_files(directory, model) if wanted else ():
        with code.open(encoding="utf-8", newline="") as file:
            changed = load_called_models(file.read(), wanted)
        if changed is not None:
            with code.open("w", encoding="utf-8", newline="") as file:
                file.write(changed)


def _entry_files(directory: Path, model: PlannedModel) -> Iterator[Path]:
    name = model.source.message.default_model_filename or "model.py"
    yield from sorted(directory.glob(f"*/{name}"))


def _missing(file: SourceFile, target: Path, folder: str) -> Step:
    return Step(
        folder,
        f"{target.name} is missing: {file.path} is {file.reason}",
        str(target),
        f"git lfs pull there, or copy the file from where it is, to {target}; then slipway weights"
        f" add {target}",
        "SW321",
    )


def _computed_calls(model: PlannedModel, planned: PlannedFolder) -> list[Step]:
    steps = []
    others = ", ".join(sorted(m.name for m in planned.models if m is not model)) or "models/*/*"
    for path, line in planned.group.calls[model.source.name].computed:
        relative = path.relative_to(model.source.directory).as_posix()
        steps.append(
            Step(
                planned.name,
                "the name of the called model is computed, so that it was not renamed",
                f"models/{planned.name}/{model.name}/{relative}:{line}",
                f"write the name that the model has now: one of {others}",
                "SW541",
            )
        )
    return steps
