"""The stages of ``dvc.yaml`` that train each model, and those of them that only measure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from slipway.errors import SlipwayError
from slipway.model.original import FOLDER as ORIGINAL
from slipway.model.training_settings import FILE_NAME, TrainingSettings, load_training_settings

Step = Literal["train", "evaluate"]
STEPS: tuple[Step, ...] = ("train", "evaluate")


@dataclass(frozen=True)
class ModelStages:
    """The stages of one model by what they are for, as ``dvc repro`` takes them, in the order in
    which they run.

    ``train`` are those that the weights need, ``evaluate`` all others: they measure, or calibrate.
    A stage that writes below ``original/`` converts what was adopted, and is in neither.
    """

    train: tuple[str, ...]
    evaluate: tuple[str, ...]

    def of(self, steps: tuple[Step, ...]) -> tuple[str, ...]:
        """Return the stages of some of the steps, in order."""
        return tuple(name for step in steps for name in getattr(self, step))


@contextmanager
def open_dvc(root: Path) -> Iterator[Any]:
    """Yield DVC's repository in ``root``.

    Raises:
        SlipwayError: there is none, or DVC cannot read it, or fails in the block.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            yield repo
    except (DvcException, OSError) as error:
        raise SlipwayError(
            f"DVC cannot read the stages: {error}", where=str(root), fix="run dvc stage list"
        ) from error


def training_stages(root: Path) -> dict[str, list[str]]:
    """Return the stages that train and measure each model, as ``dvc repro`` takes them, by name.

    Raises:
        SlipwayError: DVC cannot read the stages, or a ``training.toml`` does not fit them.
    """
    if not (root / ".dvc").is_dir():
        return {}
    with open_dvc(root) as repo:
        models = {name for stage in repo.index.stages if (name := owner_of(repo, stage))}
        found = {name: model_stages(repo, name) for name in sorted(models)}
    return {name: sorted(stages.of(STEPS)) for name, stages in found.items() if stages.of(STEPS)}


def model_stages(repo: Any, model: str) -> ModelStages:
    """Return the stages of ``model``; they are empty if it has none.

    A stage belongs to the model whose folder it writes to, whatever its name is, and in whichever
    ``dvc.yaml`` it is. A stage that writes below no model, or below several, belongs to none: it
    runs if a model's stage depends on it.

    The weights are the candidates in the model's ``training.toml``. Without candidates, they are
    every output but metrics and plots.

    Raises:
        SlipwayError: no stage writes a candidate.
    """
    folder = Path(repo.root_dir) / "models" / model
    chosen = load_training_settings(folder)
    stages = [s for s in in_order(repo) if owner_of(repo, s) == model and not _converts(folder, s)]
    making = _making_weights(repo, folder, stages, chosen)
    return ModelStages(
        train=tuple(address_of(stage) for stage in stages if stage in making),
        evaluate=tuple(address_of(stage) for stage in stages if stage not in making),
    )


def in_order(repo: Any) -> list[Any]:
    """Return all stages, each after those that it depends on."""
    from dvc.repo.reproduce import plan_repro

    return list(plan_repro(repo.index.graph))


def address_of(stage: Any) -> str:
    """Return a stage's name as ``dvc repro`` takes it in the repository's root."""
    file = str(stage.path_in_repo)
    name = getattr(stage, "name", None)
    if name is None:
        return file
    return str(name) if file == "dvc.yaml" else f"{file}:{name}"


def needed_by(repo: Any, stage: Any) -> set[Any]:
    """Return the stages and data sources that ``stage`` depends on, directly or not."""
    found: set[Any] = set()
    waiting = list(repo.index.graph.successors(stage))
    while waiting:
        if (current := waiting.pop()) not in found:
            found.add(current)
            waiting += repo.index.graph.successors(current)
    return found


def files_of(root: Path, stages: Iterable[Any]) -> set[str]:
    """Return the files and folders that the stages read, and the ``dvc.yaml``, locks and pointers
    that say so, relative to ``root``."""
    stages = list(stages)
    paths = {Path(stage.path) for stage in stages}
    paths |= {path.with_name("dvc.lock") for path in paths if path.name == "dvc.yaml"}
    for stage in stages:
        paths |= {Path(dep.fs_path) for dep in stage.deps if dep.protocol == "local"}
    return {path.relative_to(root).as_posix() for path in paths if path.is_relative_to(root)}


def owner_of(repo: Any, stage: Any) -> str | None:
    """Return the model that a stage belongs to."""
    if stage.is_data_source:
        return None
    models = Path(repo.root_dir) / "models"
    paths = [Path(out.fs_path) for out in stage.outs] or [Path(stage.wdir)]
    names = {path.relative_to(models).parts[0] for path in paths if models in path.parents}
    return names.pop() if len(names) == 1 else None


def _converts(folder: Path, stage: Any) -> bool:
    return any(Path(out.fs_path).is_relative_to(folder / ORIGINAL) for out in stage.outs)


def _making_weights(
    repo: Any, folder: Path, stages: list[Any], chosen: TrainingSettings
) -> set[Any]:
    writers = {Path(out.fs_path): stage for stage in stages for out in stage.outs}
    sinks = []
    for candidate in chosen.weights:
        path = folder / candidate
        writer = next((s for out, s in writers.items() if out in (path, *path.parents)), None)
        if writer is None:
            raise SlipwayError(
                f"no stage of {folder.name} writes {candidate}",
                where=str(folder / FILE_NAME),
                fix="name an output of a stage in dvc.yaml, or remove the line",
            )
        sinks.append(writer)
    if not sinks:
        sinks = [s for s in stages if any(not (o.is_metric or o.is_plot) for o in s.outs)]
    return {s for sink in sinks for s in (sink, *needed_by(repo, sink))}
