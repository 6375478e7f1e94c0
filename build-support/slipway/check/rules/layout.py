"""SW10x: which models a folder holds, and which of them an endpoint serves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from slipway import config
from slipway.check.finding import Edit, Found, Mend, Move, Place
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.repository import ENSEMBLE

# folders of a model that are no Triton model directories
ASIDE = {"tests", "training", "docs", "notebooks", "data"}
SERVED = re.compile(r'platform:(\s)*"ensemble"')
SPELLING = f'platform: "{ENSEMBLE}"'
CONTRACT = "seen on 24.10: POST /models of such a folder"
SAGEMAKER = "Triton server, sagemaker_server.cc (platform_ensemble_regex_), and seen on 24.10"


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
    steps = _steps(subject)
    for path in _like_models(subject):
        if path.name not in steps:  # a step that finds no model is an error of its own
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


@rule(
    "SW104",
    "two-ensembles",
    reason="200 on load, and one of them is served, whichever the directory lists last",
    source=CONTRACT,
)
def two_ensembles(subject: Subject) -> Iterator[Found]:
    """More than one ensemble that no other one has for a step."""
    steps = _steps(subject)
    found = [each for each in subject.ensembles if each.name not in steps]
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        for each in found[1:]:
            yield Found(
                each.place("platform"),
                f"{len(found)} ensembles ({names}): an endpoint serves one",
                "keep one here and give the other a folder of its own",
            )


@rule(
    "SW105",
    "no-ensemble",
    reason="200 on load, and an arbitrary one of the models is served",
    source=CONTRACT,
)
def no_ensemble(subject: Subject) -> Iterator[Found]:
    """Several models and nothing that says which is served."""
    if len(subject.configs) < 2 or subject.ensembles:
        return
    if len(subject.parsed) == len(subject.configs):
        yield Found(
            Place(subject.folder),
            f"{len(subject.configs)} models and no ensemble: an arbitrary one would be served",
            f"add an ensemble: a {config.FILE_NAME} with {SPELLING}",
        )


@rule(
    "SW106",
    "platform-spelling",
    reason="200 on load, and another model than the ensemble is served",
    source=SAGEMAKER,
)
def platform_spelling(subject: Subject) -> Iterator[Found]:
    """An ensemble whose platform the endpoint's regular expression does not find."""
    for each, message in subject.parsed.values():
        if message.platform == ENSEMBLE and not SERVED.search(each.text):
            yield Found(
                each.place("platform"),
                "the endpoint does not find the ensemble: it looks for this one spelling",
                SPELLING,
                (each.replaced(("platform",), SPELLING),),
            )


@rule(
    "SW107",
    "platform-missing",
    reason="200 on load, and another model than the ensemble is served; or the load fails",
    source=SAGEMAKER,
)
def platform_missing(subject: Subject) -> Iterator[Found]:
    """``ensemble_scheduling`` on what is not called an ensemble."""
    for each, message in subject.parsed.values():
        if not message.HasField("ensemble_scheduling") or message.platform == ENSEMBLE:
            continue
        mends: tuple[Mend, ...] = ()
        if not message.platform and not message.backend:
            mends = (each.added(f"{SPELLING}\n"),)
        yield Found(
            each.place("platform" if message.platform else "ensemble_scheduling"),
            f"it has ensemble_scheduling, and its platform is {message.platform!r}",
            SPELLING,
            mends,
        )


@rule(
    "SW108",
    "platform-elsewhere",
    reason="200 on load, and this model may be served instead of the ensemble",
    source=SAGEMAKER,
)
def platform_elsewhere(subject: Subject) -> Iterator[Found]:
    """The ensemble's spelling in another model's config, comments and strings included."""
    for each in subject.configs.values():
        found = SERVED.search(each.text)
        if found and len(subject.configs) > 1 and each.message and not each.is_ensemble:
            yield Found(
                Place(each.path, *each.fields.position(found.start())),
                "the endpoint takes this model for the ensemble: it does not know comments",
                "say it in other words",
            )


@rule(
    "SW109",
    "ensemble-with-backend",
    reason="the load fails: “must have platform type 'ensemble' and empty backend type”",
    source="Triton core, model_config_utils.cc (ValidateModelConfig), and seen on 24.10",
)
def ensemble_with_backend(subject: Subject) -> Iterator[Found]:
    """An ensemble that names a backend as well."""
    for each, message in subject.parsed.values():
        if message.platform == ENSEMBLE and message.backend:
            span = each.fields.spans[("backend",)]
            yield Found(
                each.place("backend"),
                f"an ensemble has no backend, and this one has {message.backend!r}",
                "remove the backend",
                (Edit(each.path, span.start, span.end, ""),),
            )


@rule(
    "SW110",
    "decoupled-endpoint",
    reason="every invocation fails: “HTTP end point doesn't support models with decoupled…”",
    source="Triton server, http_server.cc, and seen on 24.10",
)
def decoupled_endpoint(subject: Subject) -> Iterator[Found]:
    """The model that is served answers more than once, or never."""
    served = subject.served
    if served and served.message is not None and not served.is_ensemble:
        if served.message.model_transaction_policy.decoupled:
            yield Found(
                served.place("model_transaction_policy", "decoupled"),
                "a multi-model endpoint serves no decoupled model",
                "remove it, or call the model from another one (BLS)",
            )


def _steps(subject: Subject) -> set[str]:
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
