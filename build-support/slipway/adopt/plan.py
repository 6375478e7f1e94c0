"""Plan what ``slipway adopt`` does, before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from slipway.adopt import names
from slipway.adopt.files import SourceFile, Use, model_files
from slipway.check.foreign.discover import SourceModel, find_source_models
from slipway.check.foreign.groups import Group, find_groups
from slipway.errors import SlipwayError
from slipway.scaffold import naming
from slipway.scaffold.foreign_weights import models_in, new_command
from slipway.settings import Settings
from slipway.units import format_bytes

# what is copied lies in the folder and in DVC's cache
COPIES = 2
FIRST_VERSION = "0.1.0"
NO_VALUES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class PlannedModel:
    """A model of the source, the name that it gets, and what becomes of its files."""

    source: SourceModel
    name: str
    files: tuple[SourceFile, ...]

    def of_use(self, *uses: Use) -> Iterator[SourceFile]:
        """Yield the files of these uses."""
        return (file for file in self.files if file.use in uses)


@dataclass(frozen=True)
class PlannedFolder:
    """One folder of ``models/``: the served model first.

    ``wrapper`` is the name of the ensemble that is written around a model whose code calls others.
    """

    name: str
    group: Group
    models: tuple[PlannedModel, ...]
    wrapper: str | None

    @cached_property
    def new_names(self) -> Mapping[str, str]:
        """Return the models' new names by every name that the source has for them."""
        return names.by_every_name(
            self.group, {model.source.name: model.name for model in self.models}
        )

    @property
    def python_models(self) -> tuple[PlannedModel, ...]:
        """Return the models of the Python backend."""
        return tuple(model for model in self.models if model.source.backend == "python")


@dataclass(frozen=True)
class Plan:
    """The folders that are written for the repository at ``path``, and what belongs to none.

    ``version`` is the release version of every folder.
    """

    path: Path
    version: str
    folders: tuple[PlannedFolder, ...]
    others: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Return the bytes that are copied."""
        uses: tuple[Use, ...] = ("copied", "tracked", "config", "pointer")
        return sum(
            file.size
            for folder in self.folders
            for model in folder.models
            for file in model.of_use(*uses)
        )


def plan_adoption(
    path: Path,
    name: str | None,
    settings: Settings,
    *,
    version: str = FIRST_VERSION,
    values: Mapping[str, str] = NO_VALUES,
) -> Plan:
    """Return the plan for the Triton repository at ``path``, a repository, its parent or a model.

    ``values`` fill templates in its configs, by their names.

    Raises:
        SlipwayError: the version is not valid, there is no model in it, two models have one name,
            it lies in ``models/``, a name is taken, or the disk is too small.
    """
    naming.refuse_version(version)
    _refuse_own_models(path, settings.root)
    models = _models_in(path, values, settings)
    _refuse_equal_names(models, path)
    groups = find_groups(models)
    chosen = names.folder_names(groups, path, name, settings.root)
    folders = tuple(
        _plan_folder(group, folder, version, path, settings.root)
        for group, folder in zip(groups, chosen, strict=True)
    )
    plan = Plan(path, version, folders, tuple(_others(path, folders)))
    _refuse_full_disk(plan, settings.root)
    return plan


def _plan_folder(group: Group, name: str, version: str, path: Path, root: Path) -> PlannedFolder:
    new = names.model_names(group, name, version, root)
    models = tuple(
        PlannedModel(model, new[model.name], tuple(model_files(model, path)))
        for model in group.models
    )
    wrapper = names.wrapper_name(name, list(new.values())) if group.needs_ensemble else None
    return PlannedFolder(name, group, models, wrapper)


def _others(path: Path, folders: tuple[PlannedFolder, ...]) -> Iterator[Path]:
    """Yield what lies next to the models, in the folders that lead to them."""
    directories = {model.source.directory for folder in folders for model in folder.models}
    if path in directories:
        return
    above = {parent for directory in directories for parent in directory.parents}
    pending = [path]
    for folder in pending:  # grows while it is walked
        for entry in sorted(folder.iterdir()):
            if entry in directories or entry.name.startswith("."):
                continue
            if entry in above:
                pending.append(entry)
            else:
                yield entry


def _refuse_own_models(path: Path, root: Path) -> None:
    models = (root / "models").resolve()
    resolved = path.resolve()
    if resolved.is_relative_to(models) or models.is_relative_to(resolved):
        raise SlipwayError(
            "it is in models/ already, or around it" if path.exists() else "no such folder",
            where=str(path),
            fix="move the repository out of models/, then adopt it from there; slipway check finds"
            " the mistakes of a folder in models/",
        )


def _refuse_full_disk(plan: Plan, root: Path) -> None:
    needed, free = plan.size * COPIES, shutil.disk_usage(root).free
    if needed > free:
        raise SlipwayError(
            f"{format_bytes(plan.size)} are copied and kept in DVC's cache, {format_bytes(needed)}"
            f" in all, and the disk has {format_bytes(free)}",
            where=str(root),
            fix="free some space: slipway cache trim, dvc gc; or adopt one model at a time",
        )


def _models_in(path: Path, values: Mapping[str, str], settings: Settings) -> list[SourceModel]:
    """Return the Triton models in ``path``.

    Raises:
        SlipwayError: there is none; names files of frameworks that lie there instead.
    """
    try:
        return find_source_models(path, values)
    except SlipwayError as error:
        weights = models_in(path, settings) if path.is_dir() else []
        if not weights:
            raise
        listed = ", ".join(f"{one.file.relative_to(path)} is {one.about}" for one in weights)
        raise SlipwayError(
            f"no Triton model in it, but {listed}",
            where=str(path),
            fix=new_command(weights[0].file),
        ) from error


def _refuse_equal_names(models: Iterable[SourceModel], path: Path) -> None:
    seen: dict[str, SourceModel] = {}
    for model in models:
        other = seen.setdefault(model.name, model)
        if other is not model:
            first, second = other.directory.parent, model.directory.parent
            raise SlipwayError(
                f"two repositories with a model {model.name!r}: {first} and {second}",
                where=str(path),
                fix=f"adopt one of them: slipway adopt {second}",
            )
