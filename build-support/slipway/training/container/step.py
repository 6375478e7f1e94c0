"""Run the stages of one step in a container: the checkout is the archive of code, unpacked."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import get_args

from slipway.errors import SlipwayError
from slipway.model.training_settings import load_training_settings
from slipway.training.container.folders import FIX, ContainerFolders
from slipway.training.engine.engine import Order
from slipway.training.engine.environment import lock_digest
from slipway.training.engine.execute import Executed, execute
from slipway.training.results import write_results
from slipway.training.run import PlaceName, TrainingRun, parse_stage
from slipway.training.workspace import Workspace, configure_container

SET = "set."  # begins the name of a parameter's value
TERMINATED = 143
# seconds: SageMaker kills a container 120 s after SIGTERM
GRACE = 100.0


class Interrupted(SystemExit):
    """SIGTERM: SageMaker takes the instance back, or the job is stopped."""


def run_stages(
    work: Path, folders: ContainerFolders, values: Mapping[str, str], order: Order
) -> Executed:
    """Run the stages of ``order`` in the checkout ``work``; print their output.

    Results are pushed to DVC's remote after each stage: what an interrupted job has made is known
    to the next one.

    Raises:
        SlipwayError: a stage failed, or a result could not be pushed.
        Interrupted: by SIGTERM, once the stages have ended.
    """
    configure_container(work)
    _link_channels(work, folders, order.model)
    log = work / ".dvc" / "tmp" / f"{order.job}.log"
    executed = execute(work, order, _print, log, grace=GRACE)
    if executed.not_pushed:
        raise SlipwayError(
            f"not pushed to DVC's remote: {'; '.join(executed.not_pushed)}",
            fix="let the job's role write to the remote's bucket",
        )
    return executed


def order_of(folders: ContainerFolders, work: Path, values: Mapping[str, str]) -> Order:
    """Return what the job's ``values`` order, for both steps.

    Raises:
        SlipwayError: a value is missing.
    """
    for name in ("model", "run"):
        if not values.get(name):
            raise SlipwayError(f"the job has no value {name!r}", fix=FIX)
    return Order(
        model=values["model"],
        # not SageMaker's own: its model folder takes the results
        base=str(work.with_name(f"{work.name}-ml")),
        checkpoints=str(folders.checkpoints),
        job=values["run"],
        force=values.get("force") == "true",
        push="each",
        instance=str(folders.resources().get("current_instance_type", "local")),
    )


def parameters_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that are set, by dotted name."""
    return {key.removeprefix(SET): text for key, text in values.items() if key.startswith(SET)}


def record(
    work: Path,
    values: Mapping[str, str],
    executed: Executed,
    started: datetime,
    before: TrainingRun | None = None,
) -> TrainingRun:
    """Return the record of the run after a step; ``before`` is that of the step before.

    Raises:
        SlipwayError: a value is none that slipway train writes.
    """
    place = values.get("place", "sagemaker")
    if place not in get_args(PlaceName):
        raise SlipwayError(f"the job's value place is {place!r}", fix=FIX)
    summary = executed.summary
    arns = (os.environ.get(name) for name in ("TRAINING_JOB_ARN", "PROCESSING_JOB_ARN"))
    run = TrainingRun(
        id=values["run"],
        model=values["model"],
        place=place,  # type: ignore[arg-type]  # it is one of them
        commit=values.get("commit", ""),
        dirty=values.get("dirty") == "true",
        started=f"{started:%Y-%m-%dT%H:%M:%SZ}",
        seconds=round((datetime.now(UTC) - started).total_seconds(), 1),
        lock_sha256=lock_digest(work / "models" / values["model"]),
        stages=tuple(parse_stage(stage) for stage in summary["stages"]),
        parameters=summary["parameters"],
        metrics=summary["metrics"],
        image=values.get("image") or None,
        jobs=tuple(arn for arn in arns if arn),
        reason=values.get("reason") or None,
    )
    if before is None:
        return run
    sources = {stage.name: stage.source for stage in before.stages}
    stages = tuple(replace(s, source=sources.get(s.name, s.source)) for s in run.stages)
    return replace(
        run,
        started=before.started,
        seconds=round(before.seconds + run.seconds, 1),
        stages=stages,
        jobs=(*before.jobs, *run.jobs),
    )


def keep(workspace: Workspace, run: TrainingRun, executed: Executed, target: Path) -> None:
    """Write the results to ``target``, and print which files are not kept."""
    for file in write_results(workspace, run, executed.summary, target):
        _print(f"not kept, because it is no output of a stage: {file}")


@contextlib.contextmanager
def failure_written(folders: ContainerFolders) -> Iterator[None]:
    """Write why a step fails where SageMaker reads it, and let SIGTERM raise
    :class:`Interrupted`."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(TERMINATED)

    previous = signal.signal(signal.SIGTERM, stop)
    started = time.monotonic()
    try:
        yield
    except Interrupted:
        seconds = time.monotonic() - started
        folders.write_failure(f"stopped by SIGTERM after {seconds:.0f} s")
        raise
    except SlipwayError as error:
        folders.write_failure(str(error))
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)


def _link_channels(work: Path, folders: ContainerFolders, model: str) -> None:
    """Have the folders of ``[sagemaker.channels]`` be those that SageMaker has filled."""
    for folder in load_training_settings(work / "models" / model).sagemaker.channels:
        link = work / "models" / model / folder
        source = folders.channel(link.name)
        if not source.is_dir():
            continue  # of a processing job: the stages that it runs may not read it
        if link.exists() or link.is_symlink():
            raise SlipwayError(
                f"{folder} is in git, and a channel of the job as well",
                where=f"models/{model}/training.toml",
                fix="git rm it, or remove the channel",
            )
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source)


def _print(line: str) -> None:
    print(line, flush=True)
