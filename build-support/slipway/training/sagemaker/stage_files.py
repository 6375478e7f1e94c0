"""What a job has to know of a model's stages before it is created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.training.local import reject_untrainable
from slipway.training.parameters import check_parameters
from slipway.training.stages import (
    ModelStages,
    address_of,
    in_order,
    model_stages,
    needed_by,
    open_dvc,
)


@dataclass(frozen=True)
class PreparedStages:
    """The ``stages`` of a model, the files and folders that they depend on, and whether all of them
    are as ``dvc.lock`` has them."""

    stages: ModelStages
    files: tuple[str, ...]
    unchanged: bool


def prepare_stages(root: Path, model: str, parameters: Mapping[str, str]) -> PreparedStages:
    """Return what a job has to know of the stages of ``model``.

    Raises:
        SlipwayError: it has none, DVC cannot read them, no stage depends on one of the
            ``parameters``, or DVC's default remote is a folder, which a job can neither read nor
            write.
    """
    reject_untrainable(root, model)
    with open_dvc(root) as repo:
        _refuse_folder_as_remote(repo, root)
        stages = model_stages(repo, model)
        names = {*stages.train, *stages.evaluate}
        own = [stage for stage in in_order(repo) if address_of(stage) in names]
        check_parameters(own, parameters)
        needed = {other for stage in own for other in (stage, *needed_by(repo, stage))}
        files = tuple(sorted(_files(needed, root)))
        return PreparedStages(stages, files, not parameters and not _differ(repo, needed))


def _differ(repo: Any, stages: set[Any]) -> bool:
    """Return whether a stage's command, dependencies or parameters are not those of ``dvc.lock``.
    That outputs are missing here is no difference."""
    with repo.lock:
        return any(
            stage.changed(True, list(repo.index.graph.successors(stage)))
            for stage in stages
            if not stage.is_data_source
        )


def _files(stages: set[Any], root: Path) -> set[str]:
    """Return what the stages read, and the ``dvc.yaml`` and pointers that say so."""
    paths = {Path(stage.path) for stage in stages}
    paths |= {path.with_name("dvc.lock") for path in paths if path.name == "dvc.yaml"}
    for stage in stages:
        for dependency in stage.deps:
            if dependency.protocol == "local":
                paths.add(Path(dependency.fs_path))
    return {path.relative_to(root).as_posix() for path in paths if path.is_relative_to(root)}


def _refuse_folder_as_remote(repo: Any, root: Path) -> None:
    name = repo.config["core"].get("remote")
    url = str(repo.config["remote"].get(name, {}).get("url", "")) if name else ""
    if "://" not in url:
        raise SlipwayError(
            f"DVC's default remote {name} is the folder {url}" if name else "DVC has no remote",
            where=str(root / ".dvc" / "config"),
            fix="a job reaches S3: dvc remote add --default NAME s3://BUCKET/dvc, then dvc push"
            " --all-commits, and commit .dvc/config",
        )
