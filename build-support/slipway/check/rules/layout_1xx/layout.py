"""SW10x: the models of a folder are where packing expects them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from slipway.check.finding import Location, Move, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.triton.config import FILE_NAME

# folders of a model that are not Triton model directories
OTHER_FOLDERS = {"tests", "training", "docs", "notebooks", "data", "original", "folded"}
CONTRACT = "seen on 24.10: POST /models of such a folder"


@rule(
    "SW101",
    "no-model",
    scope="slipway",
    reason="packing refuses it: an artifact without a model serves nothing",
    source="Slipway, model/folder.py",
)
def no_model(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find folders without a subfolder that holds a config."""
    if model.configs or model.too_deep or any(_nested_models(model)):
        return
    stray = next(_unconfigured_models(model), None)
    if (model.folder / FILE_NAME).is_file():
        yield RuleHit(
            Location(model.folder / FILE_NAME),
            "the model is one level too high: a model directory belongs in this folder",
            f"move it and the version directories into {model.folder / model.name}/",
        )
    elif stray:
        yield RuleHit(
            Location(stray),
            f"it looks like a model and has no {FILE_NAME}",
            _config_fix(stray),
        )
    else:
        yield RuleHit(
            Location(model.folder),
            f"no model: no subfolder has a {FILE_NAME}",
            f"add {model.name}_pipeline/{FILE_NAME} and its composing models",
        )


@rule(
    "SW102",
    "left-out",
    scope="slipway",
    severity="warning",
    reason="packing takes directories with a config.pbtxt, so this is not in the artifact",
    source="Slipway, model/folder.py",
)
def left_out(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find folders that look like a model, or a part of one, and are not packed."""
    if not model.configs:
        return
    for path in _unconfigured_models(model):
        if path.name not in model.step_names:  # another rule reports a step without a model
            yield RuleHit(
                Location(path),
                f"it looks like a model and has no {FILE_NAME}",
                f"{_config_fix(path)}, or remove the folder",
            )
    if (model.folder / FILE_NAME).is_file():
        yield RuleHit(
            Location(model.folder / FILE_NAME),
            "a config next to the model directories instead of in one",
            "move it into its model's directory, or remove it",
        )
    for path in sorted(model.folder.iterdir()):
        if path.name.isdigit() and path.is_dir() and path.name not in model.configs:
            yield RuleHit(
                Location(path),
                "a version directory next to the model directories instead of in one",
                "move it into its model's directory, or remove it",
            )


@rule(
    "SW103",
    "wrapper-folder",
    scope="slipway",
    reason="the load fails: “at least one version must be available”",
    source=CONTRACT,
)
def wrapper_folder(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find model directories that are one level too deep."""
    for wrapper, group in groupby(_nested_models(model), lambda path: path.parent):
        directories = list(group)
        moves = [Move(path, model.folder / path.name) for path in directories]
        free = all(not move.target.exists() for move in moves)
        yield RuleHit(
            Location(wrapper),
            f"{len(directories)} model directories are in {wrapper.name}/, one level too deep",
            f"move them into {model.folder}/",
            tuple(moves) if free else (),
        )


@rule(
    "SW130",
    "config-too-deep",
    reason="the server reads only a config next to the version directories: it completes one from"
    " the weights, or the load fails",
    source="Triton, docs/user_guide/model_repository.md, and seen on 24.10",
)
def config_too_deep(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models whose config is in a version directory."""
    for path in model.too_deep.values():
        target = path.parent.parent / FILE_NAME
        yield RuleHit(
            Location(path),
            f"the config is in the version directory {path.parent.name}/, one level too deep",
            f"move it to {target}",
            (Move(path, target),),
        )


def _directories(model: ModelUnderCheck) -> Iterator[Path]:
    """Yield the folders without a config and without another known purpose."""
    for path in model.directories:
        ignored = path.name in OTHER_FOLDERS or path.name.startswith((".", "_"))
        if not ignored and path.name not in {*model.configs, *model.too_deep}:
            yield path


def _nested_models(model: ModelUnderCheck) -> Iterator[Path]:
    for directory in _directories(model):
        for path in sorted(directory.glob(f"*/{FILE_NAME}")):
            yield path.parent


def _unconfigured_models(model: ModelUnderCheck) -> Iterator[Path]:
    for directory in _directories(model):
        numbers = [path for path in directory.iterdir() if path.is_dir() and path.name.isdigit()]
        filled = any(next(path.iterdir(), None) for path in numbers)
        if not directory.name.isdigit() and (filled or next(_misspelled_configs(directory), None)):
            yield directory


def _misspelled_configs(directory: Path) -> Iterator[Path]:
    names = {"config.pbtxt.txt", "config.pbtext", "config.prototxt", "config.pb.txt", "config.txt"}
    for path in sorted(directory.iterdir()):
        if path.name.lower() in names | {FILE_NAME}:
            yield path


def _config_fix(directory: Path) -> str:
    """Return how to give a model its config."""
    misspelled = next(_misspelled_configs(directory), None)
    return f"rename {misspelled} to {FILE_NAME}" if misspelled else f"add a {FILE_NAME}"
