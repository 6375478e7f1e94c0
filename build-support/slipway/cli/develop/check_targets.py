"""What ``slipway check`` was asked to check: models, single configs, foreign repositories."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.check.outcome import CheckOutcome
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.check.foreign.model import ForeignModel
    from slipway.check.kept.examine import Examined
    from slipway.check.model_repository import ModelRepository
    from slipway.check.model_under_check import ModelUnderCheck
    from slipway.settings import Settings

type Check = Callable[[], CheckOutcome]


@dataclass
class CheckTargets:
    """The checks by the path of their model; ``settings`` is ``None`` outside of a checkout.

    ``repository`` is set where they are all models of a checkout. ``foreign`` are the paths of the
    command line that are no part of a checkout, and ``repositories`` the model repositories in
    them.
    """

    settings: Settings | None
    checks: dict[Path, Check] = field(default_factory=dict)
    repository: ModelRepository | None = None
    foreign: list[Path] = field(default_factory=list)
    foreign_release: str = ""
    repositories: set[Path] = field(default_factory=set)

    def examine(self, folder: Path) -> Callable[[], Examined]:
        """Return the check of a model folder of the checkout, with what it is based on."""
        from slipway.check.kept.examine import examine

        assert self.repository is not None
        return partial(examine, folder, self.repository, _outcome_of)

    @property
    def root(self) -> Path:
        """Return the folder to which the paths of a report for machines are relative."""
        return Path.cwd() if self.settings is None else self.settings.root

    def closing_lines(self, adopt: int) -> Iterator[str]:
        """Yield what a report on foreign repositories ends with; ``adopt`` counts things to do."""
        if not self.foreign:
            return
        because = (
            "the newest release with an image on SageMaker"
            if self.settings is None
            else "the release of slipway.toml"
        )
        yield f"judged for Triton {self.foreign_release}, {because}"
        things = f"{adopt} thing{'s' if adopt > 1 else ''}"
        if adopt and len(self.repositories) > 1:
            yield f"{things} that slipway adopt does, a repository at a time"
        elif adopt:
            path = next(path for path in self.foreign if path.is_dir())
            yield f"{things} that slipway adopt {path} does"


def find_targets(paths: Sequence[Path]) -> CheckTargets:
    """Return what the paths name; without any, all models of the checkout.

    Raises:
        SlipwayError: one of them is nothing that can be checked, or there is no checkout.
    """
    from slipway import settings
    from slipway.check.model_repository import ModelRepository

    is_checkout = settings.find_root(Path.cwd()) is not None
    if not paths and not is_checkout:
        raise SlipwayError(
            f"no {settings.FILE_NAME} here or in a folder above",
            where=str(Path.cwd()),
            fix="slipway check . checks a Triton repository; all models are those of a Slipway"
            " repository",
        )
    own = [path for path in paths if settings.find_root(path) is not None]
    configured = settings.load(Path.cwd()) if is_checkout or own or not paths else None
    targets = CheckTargets(configured)
    for path in paths:
        if path not in own:
            _add_foreign(targets, path)
    if configured is not None and (own or not paths):
        repository = ModelRepository(configured)
        named = [target for path in own for target in _targets(path, repository)]
        for target in named or _all(repository):
            _add_own(targets, target, repository)
        if not named:
            targets.repository = repository
    return targets


def _add_own(targets: CheckTargets, path: Path, repository: ModelRepository) -> None:
    if path.is_dir():
        targets.checks[path] = lambda: _check_own(path, repository)
    else:
        targets.checks[path] = lambda: _check_single(path, repository.settings)


def _check_own(folder: Path, repository: ModelRepository) -> CheckOutcome:
    from slipway.check.model_under_check import ModelUnderCheck

    return _outcome_of(ModelUnderCheck(folder, repository))


def _outcome_of(model: ModelUnderCheck) -> CheckOutcome:
    from slipway.check import check_model
    from slipway.check.inference.behaviour import given_up_files
    from slipway.testing.untestable import named_backends

    findings = check_model(model)
    backends = named_backends(model.configs.values())
    return CheckOutcome(findings, backends=backends, given_up=given_up_files(model))


def _check_single(path: Path, used: Settings) -> CheckOutcome:
    from slipway.check import check_config

    return CheckOutcome(check_config(path, used))


def _check_foreign(model: ForeignModel) -> CheckOutcome:
    from slipway.check import check_foreign
    from slipway.check.inference.behaviour import given_up_files

    return CheckOutcome(*check_foreign(model), given_up=given_up_files(model))


def _add_foreign(targets: CheckTargets, path: Path) -> None:
    from slipway.check.foreign.model import find_foreign_models, foreign_settings

    used = foreign_settings(targets.settings)
    targets.foreign.append(path)
    targets.foreign_release = used.triton_release
    if path.is_file():
        _refuse_other_files(path)
        targets.checks[path] = lambda: _check_single(path, used)
        return
    for model in find_foreign_models(_from_here(path), used):
        targets.checks[model.path] = partial(_check_foreign, model)
        targets.repositories.add(model.folder)


def _all(repository: ModelRepository) -> list[Path]:
    folders = repository.folders
    if not folders:
        raise SlipwayError("no model in it", where=str(repository.settings.root / "models"))
    return [_from_here(folder) for folder in folders]


def _targets(path: Path, repository: ModelRepository) -> list[Path]:
    """Return what a path of the command line names: one model, all of them, or a config."""
    from slipway.triton import config

    root = repository.settings.root
    if path.resolve() in (root, root / "models"):
        return _all(repository)
    if (path / config.FILE_NAME).is_file():
        raise SlipwayError(
            "one Triton model of a folder",
            where=str(path),
            fix=f"name its folder {path.parent}, or {path / config.FILE_NAME}",
        )
    if path.is_file():
        _refuse_other_files(path)
    return [_from_here(path)]


def _refuse_other_files(path: Path) -> None:
    from slipway.triton import config

    if path.suffix != Path(config.FILE_NAME).suffix:
        raise SlipwayError(
            "not a model folder", where=str(path), fix=f"name a folder or a {config.FILE_NAME}"
        )


def _from_here(path: Path) -> Path:
    """Return a path as one would type it, so that findings can be clicked and copied."""
    relative = Path(os.path.relpath(path))
    return path if ".." in relative.parts else relative
