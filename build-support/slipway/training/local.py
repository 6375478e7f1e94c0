"""The place ``local``: this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway.catalog.commit import Worktree, read_worktree
from slipway.errors import SlipwayError
from slipway.files import cache_dir
from slipway.settings import Settings
from slipway.training.engine.engine import Order
from slipway.training.engine.environment import lock_digest
from slipway.training.engine.execute import Executed, execute
from slipway.training.place import StartedTraining, TrainingOutcome, TrainingRequest
from slipway.training.results import apply_results, write_results
from slipway.training.run import PlaceName, TrainingRun
from slipway.training.snapshot import LIBRARY, NeededFiles
from slipway.training.stages import (
    STEPS,
    address_of,
    files_of,
    in_order,
    model_stages,
    needed_by,
    open_dvc,
)
from slipway.training.workspace import Workspace, copy_checkout, one_run_at_a_time

CHECKPOINTS, LOGS = "training-checkpoints", "training-logs"  # of the cache


class LocalPlace:
    """Train on this machine. See :class:`slipway.training.place.Place`."""

    name: PlaceName = "local"
    detachable = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def start(self, request: TrainingRequest) -> StartedTraining:
        """See :meth:`slipway.training.place.Place.start`."""
        reject_untrainable(request.root, request.model)
        return LocalTraining(request)


class LocalTraining:
    """A training that runs while it is waited for."""

    jobs: tuple[str, ...] = ()

    def __init__(self, request: TrainingRequest) -> None:
        self._request = request

    def wait(self) -> TrainingOutcome:
        """See :meth:`slipway.training.place.StartedTraining.wait`."""
        request = self._request
        started, clock = datetime.now(UTC), time.monotonic()
        # before a remote inside the repository gets what is pushed to it
        worktree = read_worktree(request.root)
        needed = files_needed(request.root, request.model)
        with one_run_at_a_time(request.root, request.model) as folder:
            workspace = copy_checkout(request.root, folder / "checkout", needed)
            order = Order(
                model=request.model,
                base=str(folder / "ml"),
                checkpoints=str(cache_dir(CHECKPOINTS) / folder.name),
                job=request.run_id,
                parameters=request.parameters,
                force=request.force,
            )
            log = cache_dir(LOGS) / f"{request.run_id}.log"
            executed = execute(workspace.root, order, request.report, log)
            seconds = time.monotonic() - clock
            run = training_run(request, executed.summary, worktree, started, seconds)
            if all(stage.source == "unchanged" for stage in run.stages):
                return TrainingOutcome(run, in_checkout=True)
            self._keep(workspace, run, executed, folder / "results")
        return TrainingOutcome(run, in_checkout=True)

    def _keep(
        self, workspace: Workspace, run: TrainingRun, executed: Executed, results: Path
    ) -> None:
        request = self._request
        for file in write_results(workspace, run, executed.summary, results):
            request.report(f"not kept, because it is no output of a stage: {file}")
        apply_results(results, request.root, expected=workspace.copied)
        for problem in executed.not_pushed:
            request.report(f"not pushed to DVC's remote: {problem}")
        if not executed.summary["shared"]:
            request.report("no DVC remote is configured: other machines do not know this run")


def training_run(
    request: TrainingRequest,
    summary: dict[str, Any],
    worktree: Worktree,
    started: datetime,
    seconds: float,
) -> TrainingRun:
    """Return the record of a training on this machine, of its engine's ``summary``."""
    from slipway.training.run import parse_stage

    return TrainingRun(
        id=request.run_id,
        model=request.model,
        place="local",
        commit=worktree.commit or "",
        dirty=bool(worktree.changes),
        started=f"{started:%Y-%m-%dT%H:%M:%SZ}",
        seconds=round(seconds, 1),
        lock_sha256=lock_digest(request.folder),
        stages=tuple(parse_stage(stage) for stage in summary["stages"]),
        parameters=summary["parameters"],
        metrics=summary["metrics"],
        reason=request.reason,
    )


def files_needed(root: Path, model: str) -> Callable[[str], bool]:
    """Return which files of the repository the training of ``model`` gets: those that a job gets,
    without the library."""
    with open_dvc(root) as repo:
        names = model_stages(repo, model).of(STEPS)
        own = [stage for stage in in_order(repo) if address_of(stage) in names]
        read = files_of(root, {s for stage in own for s in (stage, *needed_by(repo, stage))})
    needed = NeededFiles(model, read)
    return lambda path: needed(path) and not path.startswith(f"{LIBRARY}/")


def reject_untrainable(root: Path, model: str) -> None:
    """Refuse a model without stages, and data that differ from their pointer.

    Raises:
        SlipwayError: see there.
    """
    if not (root / ".dvc").is_dir():
        raise SlipwayError("no DVC repository", where=str(root), fix="dvc init, then dvc stage add")
    with open_dvc(root) as repo:
        names = model_stages(repo, model).of(STEPS)
        if not names:
            raise SlipwayError(
                f"{model} has no stages that train it",
                where=f"models/{model}",
                fix="write its stages in dvc.yaml: docs/training.md shows how",
            )
        own = {stage for stage in in_order(repo) if address_of(stage) in names}
        needed = {before for stage in own for before in needed_by(repo, stage)}
        for source in needed:
            for out in source.outs if source.is_data_source else ():
                if out.exists and out.changed_checksum():
                    raise SlipwayError(
                        f"{out} differs from its pointer: other machines could not train on it",
                        where=source.relpath,
                        fix=f"dvc add {out}, to train on it; dvc checkout {out}, on what was there",
                    )
