"""SW11x: the names of the folder and of its models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location, RuleHit
from slipway.check.fix.rename_model import rename_model
from slipway.check.fix.unique_names import prefixed_names
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.bls_calls import calls_of_folder, is_served
from slipway.check.rule import rule
from slipway.check.unfilled import is_template

ALLOWED = re.compile(r"[A-Za-z0-9._-]+")
# the phrases that the server searches for in errors and that can be part of a name
OUT_OF_MEMORY_WORDS = (
    "CUDA out of memory",
    "CUDA_OUT_OF_MEMORY",
    "Out of memory",
    "Out Of Memory",
    "out of memory",
    "MemoryError",
    "OutOfMemory",
    "OOM",
    "CNMEM_STATUS_OUT_OF_MEMORY",
    "CUDNN_STATUS_NOT_INITIALIZED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "No space left on device",
)


@rule(
    "SW111",
    "name-differs",
    reason="the load fails: “directory name must equal model name”",
    source="Triton core, model_repository_manager.cc, and seen on 24.10",
)
def name_differs(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find composing models whose ``name`` is not their directory's."""
    return (_name_hit(config) for config in _misnamed_configs(model) if config is not model.served)


@rule(
    "SW120",
    "served-name-differs",
    severity="warning",
    reason="an endpoint maps the name and serves the model; any other Triton refuses it",
    source="Triton core, model_repository_manager.cc (model name mapping), and seen on 24.10",
)
def served_name_differs(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a served model whose ``name`` is not its directory's."""
    return (_name_hit(config) for config in _misnamed_configs(model) if config is model.served)


def _misnamed_configs(model: ModelUnderCheck) -> Iterator[ConfigFile]:
    for config, message in model.parsed.values():
        # SW260 reports a template
        if message.name and message.name != config.name and not is_template(message.name):
            yield config


def _name_hit(config: ConfigFile) -> RuleHit:
    assert config.message is not None
    return RuleHit(
        config.location("name"),
        f"its name is {config.message.name!r}, its directory's {config.name!r}",
        f'name: "{config.name}"',
        (config.replace_field(("name",), f'name: "{config.name}"'),),
    )


@rule(
    "SW112",
    "name-not-unique",
    scope="slipway",
    reason="with both loaded, the call fails: “Model … is not ready”",
    source="Triton core, model_repository_manager.cc (FindModelIdentifier): calls between models"
    " know no namespace; seen on 24.10",
)
def name_not_unique(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find called models whose name a model of another folder has as well.

    Without a call, each ensemble is answered by its own models, in whatever order they are loaded.
    """
    here, repository = model.folder.resolve(), model.repository
    for config in model.configs.values() if not model.is_single_config else ():
        rivals = [
            owner
            for owner in repository.owners_of(config.name)
            if owner != config.directory.absolute() and owner.resolve().parent != here
        ]
        if not rivals or config is model.served:
            continue
        call = calls_of_folder(model.folder, repository).get(config.name)
        others = [owner.parent for owner in rivals if not is_served(owner, repository)]
        calling = [f for f in others if config.name in calls_of_folder(f, repository)]
        if others and call is not None:
            yield RuleHit(
                call,
                f"{_folders(others)} has a model {config.name!r} as well",
                "rename the model that is called, so that its name begins with its folder's",
            )
        elif calling:
            yield RuleHit(
                Location(config.directory),
                f"{_folders(calling)} has a model {config.name!r} as well, and calls it",
                "rename one of them: a model's name begins with its folder's",
            )


def _folders(folders: Sequence[Path]) -> str:
    more = f" and {len(folders) - 1} more" if len(folders) > 1 else ""
    return f"{folders[0].name}/{more}"


@rule(
    "SW113",
    "name-characters",
    scope="slipway",
    reason="the name is part of keys, URLs and the server's paths",
    source="AWS, TargetModel; Triton server, sagemaker_server.h (model_path_regex_)",
)
def name_characters(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find names with other characters than letters, digits, ``.``, ``_`` and ``-``."""
    for path in (model.folder, *(config.directory for config in model.configs.values())):
        name = path.resolve().name
        if not ALLOWED.fullmatch(name):
            forbidden = sorted(set(ALLOWED.sub("", name)))
            yield RuleHit(
                Location(path),
                f"{name!r} contains {' '.join(repr(character) for character in forbidden)}",
                f"rename it, for example to {re.sub(r'[^A-Za-z0-9._-]+', '_', name)}",
            )


@rule(
    "SW114",
    "word-of-507",
    severity="warning",
    reason="an error that quotes this name is answered with 507, and the platform evicts a model",
    source="Triton server, sagemaker_server.cc (SageMakerMMECheckOOMError), and seen on 24.10",
)
def word_of_507(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find names that the server mistakes for a lack of memory, such as BEDROOMS."""
    names = [(model.name, Location(model.folder))]
    names += [(config.name, Location(config.directory)) for config in model.configs.values()]
    for config, message in model.parsed.values():
        for field in ("input", "output"):
            names += [
                (tensor.name, config.location(field, number, "name"))
                for number, tensor in enumerate(getattr(message, field))
            ]
    for name, location in names:
        pattern = next((pattern for pattern in OUT_OF_MEMORY_WORDS if pattern in name), None)
        if pattern:
            yield RuleHit(
                location, f"{name!r} contains {pattern!r}", "rename it, or use lower case"
            )


@rule(
    "SW119",
    "name-without-folder",
    scope="slipway",
    severity="warning",
    reason="another artifact with a model of that name would break the calls to it",
    source="Triton core, model_repository_manager.cc (FindModelIdentifier), and seen on 24.10",
)
def name_without_folder(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find called models whose name does not begin with the folder's.

    Only calls need unique names: everything else is found in its own artifact.
    """
    renamed = prefixed_names(model.name, model.configs)
    if model.is_single_config or not renamed:
        return
    called = calls_of_folder(model.folder, model.repository)
    here = model.folder.resolve()
    for config in model.configs.values():
        owners = model.repository.owners_of(config.name)
        unique = all(owner.resolve().parent == here for owner in owners)
        if config.name in renamed and config.name in called and unique:
            renaming = rename_model(model, config.name, renamed[config.name])
            also = f"; look at {renaming.uncertain[0]} too" if renaming.uncertain else ""
            yield RuleHit(
                Location(config.directory),
                f"it is called, and its name does not begin with {model.name!r}",
                f"rename it: {renamed[config.name]}{also}",
                () if renaming.uncertain else renaming.fixes,
            )
