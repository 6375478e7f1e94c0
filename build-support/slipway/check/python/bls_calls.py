"""Which models the Python code of a folder calls (BLS)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slipway.check.finding import Location
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import analyse, argument
from slipway.check.python.names import texts

REQUEST = "InferenceRequest"


def called_models(model: ModelUnderCheck) -> Mapping[str, Location]:
    """Return the names of the models that a folder calls, each with where it is first named.

    Calls whose model cannot be determined are left out.
    """
    called: dict[str, Location] = {}
    for files in model.modules.values():
        calling = [file for file in files if file.tree is not None and REQUEST in file.text]
        sources = [analyse(file) for file in (files if calling else ()) if file.tree is not None]
        for code in sources:
            for _, call in code.calls(REQUEST):
                name = argument(call, 4, "model_name")
                for named in texts(code, name, sources, all_known=False):
                    called.setdefault(named.text, named.code.location(named.node))
    return called


def calls_of_folder(folder: Path, repository: ModelRepository) -> Mapping[str, Location]:
    """Return :func:`called_models` of another folder of the repository, which is read once."""
    if folder not in repository.calls:
        repository.calls[folder] = called_models(ModelUnderCheck(folder, repository))
    return repository.calls[folder]


def is_served(directory: Path, repository: ModelRepository) -> bool:
    """Return whether a model is the served one of its folder: an endpoint maps its name."""
    served = ModelUnderCheck(directory.parent, repository).served
    return served is not None and served.name == directory.name
