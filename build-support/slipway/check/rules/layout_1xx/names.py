"""SW11x: the names of the folder and of its models."""

from __future__ import annotations

import re
from collections.abc import Iterator

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rename_model import rename_model
from slipway.check.rule import rule
from slipway.check.unfilled import is_template
from slipway.check.unique_names import prefixed_names

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
    reason="a BLS call in one artifact may be answered by the other's model of that name",
    source="Triton core, model_repository_manager.cc (namespaces), and seen on 24.10",
)
def name_not_unique(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models whose name another model folder has as well."""
    here = model.folder.resolve()
    for config in model.configs.values():
        for owner in model.repository.owners.get(config.name, ()):
            if owner != config.directory.absolute() and owner.resolve().parent != here:
                yield RuleHit(
                    Location(config.directory),
                    f"there is another model {config.name!r} in {owner.parent.name}/",
                    "rename one of them: a model's name begins with its folder's",
                )


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
    reason="two model folders that use the same name cannot be served together",
    source="Slipway: names are unique because they begin with the folder's name",
)
def name_without_folder(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models whose name does not begin with the folder's."""
    here = model.folder.resolve()
    renamed = prefixed_names(model.name, model.configs)
    for config in model.configs.values():
        owners = model.repository.owners.get(config.name, ())
        if config.name in renamed and all(owner.resolve().parent == here for owner in owners):
            renaming = rename_model(model, config.name, renamed[config.name])
            also = f"; look at {renaming.uncertain[0]} too" if renaming.uncertain else ""
            yield RuleHit(
                Location(config.directory),
                f"its name does not begin with {model.name!r}",
                f"rename it: {renamed[config.name]}{also}",
                () if renaming.uncertain else renaming.fixes,
            )
