"""Foreign repositories: Triton models outside of a Slipway checkout, judged where they lie.

A model that no other one calls is served; with it go those that it calls. What Slipway would add or
rename is not judged: ``slipway adopt`` does it (:attr:`slipway.check.rule.Rule.scope`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.foreign.discover import SourceModel, find_source_models, is_model, models_in
from slipway.check.foreign.groups import Group, find_groups, group_of
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from slipway.settings import Settings, stub_python
from slipway.triton.config import FILE_NAME

# the newest release of which AWS has an image (ci/infra/tritonserver.json; a test compares)
NEWEST_RELEASE = "25.09"


class ForeignRepository(ModelRepository):
    """A foreign repository, whose names need not be unique among folders."""

    folders: list[Path] = []
    _owners: Mapping[str, list[Path]] = {}


class ForeignModel(ModelUnderCheck):
    """The model in ``served`` and those that it calls, in one repository."""

    is_foreign = True

    def __init__(self, group: Group, repository: ForeignRepository) -> None:
        self.path = group.served.directory
        super().__init__(self.path.parent, repository)
        self.name = self.path.name
        self._group = group

    @cached_property
    def directories(self) -> list[Path]:
        """Return the directories of these models, of those without a config as well."""
        return sorted(model.directory for model in self._group.models)

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
    return [ForeignModel(group, repository) for group in _groups(path)]


def _groups(path: Path) -> list[Group]:
    if is_model(path):
        siblings = models_in(path.parent)
        served = next(model for model in siblings if model.directory == path)
        return [group_of(served, siblings)]

    def folder(model: SourceModel) -> Path:
        return model.directory.parent

    models = sorted(find_source_models(path, {}), key=folder)
    return [
        group
        for _, together in groupby(models, folder)
        for group in sorted(find_groups(list(together)), key=lambda group: group.served.name)
    ]
