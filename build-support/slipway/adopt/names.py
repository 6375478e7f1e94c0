"""Choose the names of model folders, and of the models in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from slipway.check.foreign.groups import Group
from slipway.errors import SlipwayError
from slipway.scaffold import naming
from slipway.triton import config

# names that say what the thing is, not which one
GENERIC = {
    "ensemble",
    "ensemble_model",
    "ensemble_models",
    "model",
    "models",
    "model_repo",
    "model_repository",
    "model_repositories",
    "pipeline",
    "repo",
    "repository",
    "serve",
    "serving",
    "server",
    "src",
    "triton",
    "triton_models",
    "triton_model_repo",
    "triton_model_repository",
    "tritonserver",
    "workspace",
}


def folder_names(groups: Sequence[Group], path: Path, name: str | None, root: Path) -> list[str]:
    """Return the name of the folder in ``models/`` for each group.

    With ``name``, it is the folder's, or where there are several it begins each one's. Otherwise it
    is the served model's, or where that says nothing (``ensemble``) the repository's.

    Raises:
        SlipwayError: a name is invalid or taken.
    """
    names: list[str] = []
    for group in groups:
        chosen = _proposed(group, path) if name is None else name
        if name is not None and len(groups) > 1:
            chosen = f"{name}_{naming.propose_name(group.served.name)}"
        chosen = naming.free(chosen, names)
        try:
            naming.refuse_name(chosen, root)
        except SlipwayError as error:
            if name is None:
                error.fix = f"slipway adopt {path} --name NAME, with a name that is free"
            raise
        names.append(chosen)
    return names


def model_names(group: Group, folder: str, version: str, root: Path) -> dict[str, str]:
    """Return the new name of each model of a group, by the name of its directory.

    It begins with the folder's, so that it is unique in the repository. Where code calls the model,
    it ends with the release ``version``: calls know no namespace, so that two releases on one
    endpoint would answer each other's calls.

    Raises:
        SlipwayError: a model of the repository has the name already.
    """
    taken = {path.parent.name: path.parent for path in root.glob(f"models/*/*/{config.FILE_NAME}")}
    called = {name for calls in group.calls.values() for name in calls.names}
    new: dict[str, str] = {}
    for model in group.models:
        name = _begin_with(folder, _allowed(model.name))
        if model.name in called and model is not group.served:
            name += f"_{re.sub('[^0-9A-Za-z]', '_', version)}"
        new[model.name] = naming.free(name, new.values())
    for name in new.values():
        if name in taken:
            raise SlipwayError(
                f"the model name {name} is taken: names are unique in the repository",
                where=str(taken[name]),
                fix="slipway adopt … --name NAME, with another name",
            )
    return new


def wrapper_name(folder: str, taken: Collection[str]) -> str:
    """Return the name of an ensemble that is added to a folder."""
    return naming.free(
        f"{folder}_{'ensemble' if folder.endswith('pipeline') else 'pipeline'}", taken
    )


def by_every_name(group: Group, new: Mapping[str, str]) -> dict[str, str]:
    """Return the new names by every name that the source has for a model."""
    names = {old: new[model.name] for model in group.models for old in model.names}
    return names | dict(new)


def _proposed(group: Group, path: Path) -> str:
    served = naming.propose_name(group.served.name)
    if served not in GENERIC:
        return served
    top = path.resolve()
    below = group.served.directory.resolve().relative_to(top).parents
    for folder in (top, *(top / part for part in below), top.parent):
        name = naming.propose_name(folder.name)
        if folder.name and name not in GENERIC:
            return name
    return served


def _begin_with(folder: str, name: str) -> str:
    plain = naming.propose_name(name)
    if name.startswith(folder) or plain.startswith(folder):
        return name if name.startswith(folder) else plain
    return folder if folder.endswith(f"_{name}") else f"{folder}_{name}"


def _allowed(name: str) -> str:
    """Return a model's name without characters that keys and addresses may not have."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
