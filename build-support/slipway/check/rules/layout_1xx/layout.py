"""SW10x: the models of a folder lie where packing takes them from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from slipway.check.finding import Found, Move, Place
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.triton import config

# folders of a model that are no Triton model directories
ASIDE = {"tests", "training", "docs", "notebooks", "data"}
CONTRACT = "seen on 24.10: POST /models of such a folder"


@rule(
    "SW101",
    "no-model",
    reason="packing refuses it: an artifact without a model serves nothing",
    source="Slipway, repository.py",
)
def no_model(subject: Subject) -> Iterator[Found]:
    """No subfolder holds a config."""
    if subject.configs or any(_wrapped(subject)):
        return
    stray = next(_like_models(subject), None)
    if (subject.folder / config.FILE_NAME).is_file():
        yield Found(
            Place(subject.folder / config.FILE_NAME),
            "the model itself lies one level too high: a model directory belongs in this folder",
            f"move it and the version directories into {subject.folder / subject.name}/",
        )
    elif stray:
        yield Found(
            Place(stray),
            f"it looks like a model and has no {config.FILE_NAME}",
            _named(stray),
        )
    else:
        yield Found(
            Place(subject.folder),
            f"no model in it: no subfolder has a {config.FILE_NAME}",
            f"add {subject.name}_pipeline/{config.FILE_NAME} and its composing models",
        )


@rule(
    "SW102",
    "left-out",
    severity="warning",
    reason="packing takes directories with a config.pbtxt, so this is not in the artifact",
    source="Slipway, repository.py",
)
def left_out(subject: Subject) -> Iterator[Found]:
    """What looks like a model, or a part of one, and lies where nothing takes it from."""
    if not subject.configs:
        return
    composing = steps(subject)
    for path in _like_models(subject):
        if path.name not in composing:  # a step that finds no model is an error of its own
            yield Found(
                Place(path),
                f"it looks like a model and has no {config.FILE_NAME}",
                f"{_named(path)}, or remove the folder",
            )
    if (subject.folder / config.FILE_NAME).is_file():
        yield Found(
            Place(subject.folder / config.FILE_NAME),
            "a config beside the model directories instead of in one",
            "move it into its model's directory, or remove it",
        )
    for path in sorted(subject.folder.iterdir()):
        if path.is_dir() and path.name.isdigit() and path.name not in subject.configs:
            yield Found(
                Place(path),
                "a version directory beside the model directories instead of in one",
                "move it into its model's directory, or remove it",
            )


@rule(
    "SW103",
    "wrapper-folder",
    reason="the load fails: “at least one version must be available”",
    source=CONTRACT,
)
def wrapper_folder(subject: Subject) -> Iterator[Found]:
    """Model directories one level too deep."""
    for wrapper, group in groupby(_wrapped(subject), lambda path: path.parent):
        models = list(group)
        moves = [Move(model, subject.folder / model.name) for model in models]
        free = all(not move.target.exists() for move in moves)
        yield Found(
            Place(wrapper),
            f"{len(models)} model directories lie in {wrapper.name}/, one level too deep",
            f"move them into {subject.folder}/",
            tuple(moves) if free else (),
        )


def steps(subject: Subject) -> set[str]:
    """What the ensembles call."""
    return {
        step.model_name
        for _, message in subject.parsed.values()
        for step in message.ensemble_scheduling.step
    }


def _directories(subject: Subject) -> Iterator[Path]:
    """Folders beside the models that have no config and no known other purpose."""
    for path in sorted(subject.folder.iterdir()) if subject.folder.is_dir() else ():
        aside = path.name in ASIDE or path.name.startswith((".", "_"))
        if path.is_dir() and not aside and path.name not in subject.configs:
            yield path


def _wrapped(subject: Subject) -> Iterator[Path]:
    for directory in _directories(subject):
        for path in sorted(directory.glob(f"*/{config.FILE_NAME}")):
            yield path.parent


def _like_models(subject: Subject) -> Iterator[Path]:
    for directory in _directories(subject):
        numbers = [path for path in directory.iterdir() if path.is_dir() and path.name.isdigit()]
        filled = any(next(path.iterdir(), None) for path in numbers)
        if not directory.name.isdigit() and (filled or next(_misspelled(directory), None)):
            yield directory


def _misspelled(directory: Path) -> Iterator[Path]:
    names = {"config.pbtxt.txt", "config.pbtext", "config.prototxt", "config.pb.txt", "config.txt"}
    for path in sorted(directory.iterdir()):
        if path.name.lower() in names | {config.FILE_NAME}:
            yield path


def _named(directory: Path) -> str:
    """How to give a model its config."""
    other = next(_misspelled(directory), None)
    return f"rename {other} to {config.FILE_NAME}" if other else f"add a {config.FILE_NAME}"
