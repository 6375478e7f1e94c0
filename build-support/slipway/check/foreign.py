"""Foreign repositories: Triton models outside of a Slipway checkout, judged where they lie.

A model that no other one calls is served; with it go those that it calls. What Slipway would add or
rename is not judged: ``slipway adopt`` does it (:attr:`slipway.check.rule.Rule.scope`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.model_files import FOREST_NAMES, GRAPHDEF, NAMES, POINTER, SAVED_MODEL
from slipway.check.model_under_check import PACKAGES, ModelRepository, ModelUnderCheck
from slipway.errors import SlipwayError
from slipway.settings import Settings, stub_python
from slipway.triton.config import FILE_NAME

# the newest release of which AWS has an image (ci/infra/tritonserver.json; a test compares)
NEWEST_RELEASE = "25.09"
DEEPEST = 8  # folders above a repository
IGNORED = {"node_modules", PACKAGES, "__pycache__", "venv"}
# a model without a config is known by a file that a backend opens
MODEL_FILES = {
    GRAPHDEF,
    SAVED_MODEL,
    *FOREST_NAMES.values(),
    *(name for names in NAMES.values() for name in names),
}
STEP = re.compile(r"""\bmodel_name\s*:\s*["']([^"'\n]+)["']""")
STRING = re.compile(r"""["']([\w.-]+)["']""")
BLS = "InferenceRequest"


class ForeignRepository(ModelRepository):
    """A foreign repository, whose names need not be unique among folders."""

    folders: list[Path] = []
    owners: Mapping[str, list[Path]] = {}


class ForeignModel(ModelUnderCheck):
    """The model in ``served`` and those that it calls, in one repository."""

    is_foreign = True

    def __init__(
        self, served: Path, directories: Sequence[Path], repository: ForeignRepository
    ) -> None:
        super().__init__(served.parent, repository)
        self.name = served.name
        self.path = served
        self._directories = sorted(directories)

    @cached_property
    def directories(self) -> list[Path]:
        """Return the directories of these models, of those without a config as well."""
        return self._directories

    @property
    def model_names(self) -> set[str]:
        """Return the names of all models: the server completes a config that is missing."""
        return {directory.name for directory in self.directories}

    @cached_property
    def configs(self) -> dict[str, ConfigFile]:
        """Return the configs by the names of their directories, sorted."""
        paths = [directory / FILE_NAME for directory in self.directories]
        return {path.parent.name: ConfigFile(path) for path in paths if path.is_file()}

    @property
    def served(self) -> ConfigFile | None:
        """Return the config of the model that no other one calls."""
        return self.configs.get(self.name)


def foreign_settings(settings: Settings | None) -> Settings:
    """Return the settings for a foreign repository: the given ones, or those of the newest release.

    The server completes what a config leaves out.
    """
    if settings is not None:
        return replace(settings, explicit_tensors=False)
    return Settings(
        root=Path.cwd(),
        triton_release=NEWEST_RELEASE,
        test_release=NEWEST_RELEASE,
        python=stub_python(NEWEST_RELEASE),
        explicit_tensors=False,
    )


def find_foreign_models(path: Path, settings: Settings) -> list[ForeignModel]:
    """Return the served models in ``path``: a repository, a folder above some, or one model.

    Raises:
        SlipwayError: there is no model in it.
    """
    repository = ForeignRepository(settings)
    if _is_model(path):
        calls = _calls(_models_in(path.parent))
        return [ForeignModel(path, _closure(path, calls), repository)]
    models = []
    for folder in _repositories(path, 0):
        calls = _calls(_models_in(folder))
        for served in _roots(calls):
            models.append(ForeignModel(served, _closure(served, calls), repository))
    if not models:
        raise SlipwayError(
            f"no Triton model in it: no folder has a {FILE_NAME}, or a version directory with a"
            " model's file",
            where=str(path),
            fix="name the folder that tritonserver's --model-repository names",
        )
    return models


def _repositories(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the model repositories in a folder; there is none inside a model."""
    models = _models_in(folder)
    if models:
        yield folder
    for path in _folders(folder) if depth < DEEPEST else ():
        if path not in models:
            yield from _repositories(path, depth + 1)


def _models_in(folder: Path) -> list[Path]:
    return [path for path in _folders(folder) if _is_model(path)]


def _is_model(directory: Path) -> bool:
    if directory.name.isdigit():
        return False
    if (directory / FILE_NAME).is_file():
        return True
    versions = [path for path in _folders(directory) if path.name.isdigit()]
    names = {entry.name.removesuffix(POINTER) for path in versions for entry in path.iterdir()}
    return not names.isdisjoint({FILE_NAME, *MODEL_FILES})


def _folders(folder: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except PermissionError:
        return []
    return [folder / name for name in names if name[0] != "." and name not in IGNORED]


def _calls(models: Sequence[Path]) -> dict[Path, list[Path]]:
    """Return the models that each model calls, as steps or from its code."""
    by_name = {path.name: path for path in models}
    return {
        model: [
            by_name[name]
            for name in dict.fromkeys(_called_names(model))
            if name in by_name and name != model.name
        ]
        for model in models
    }


def _called_names(model: Path) -> Iterator[str]:
    config = model / FILE_NAME
    for path in [config] if config.is_file() else sorted(model.glob(f"*/{FILE_NAME}")):
        yield from STEP.findall(path.read_text(encoding="utf-8", errors="replace"))
    for path in sorted(model.rglob("*.py")):
        is_code = path.is_file() and PACKAGES not in path.parts
        text = path.read_text(encoding="utf-8", errors="replace") if is_code else ""
        if BLS in text:  # the name may be computed from any string
            yield from STRING.findall(text)


def _roots(calls: Mapping[Path, Sequence[Path]]) -> list[Path]:
    """Return the models that no other one calls, and one of each circle."""
    called = {callee for callees in calls.values() for callee in callees}
    roots = [model for model in calls if model not in called]
    reached = {model for root in roots for model in _closure(root, calls)}
    for model in calls:
        if model not in reached:
            roots.append(model)
            reached |= set(_closure(model, calls))
    return sorted(roots)


def _closure(model: Path, calls: Mapping[Path, Sequence[Path]]) -> list[Path]:
    members = [model]
    for member in members:  # grows while it is walked
        members += [callee for callee in calls.get(member, ()) if callee not in members]
    return members
