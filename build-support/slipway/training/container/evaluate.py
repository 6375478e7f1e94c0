"""The step ``evaluate``, as a processing job runs it: the stages that only measure."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.training.container.folders import FIX, ContainerFolders, container_folders
from slipway.training.container.step import (
    failure_written,
    keep,
    order_of,
    record,
    run_stages,
)
from slipway.training.results import copy_files, read_results
from slipway.training.run import TrainingRun
from slipway.training.workspace import Workspace

MODEL = "model.tar.gz"


def evaluate(
    values: Mapping[str, str],
    *,
    work: Path | None = None,
    folders: ContainerFolders | None = None,
) -> TrainingRun:
    """Measure what the step ``train`` made; leave the results of both in the job's output.

    ``values`` are those of :func:`slipway.training.container.train.train`. The input ``model`` has
    the training job's ``model.tar.gz``. A model without stages that only measure has the training's
    metrics.

    Raises:
        SlipwayError: a stage failed, or the training's results are missing.
        Interrupted: by SIGTERM.
    """
    folders = folders or container_folders()
    work = (work or Path.cwd()).resolve()
    with failure_written(folders):
        started = datetime.now(UTC)
        workspace = Workspace.of(work)
        trained = _results(folders)
        before = read_results(trained)
        files = copy_files(trained, work)
        order = replace(
            order_of(folders, work, values), steps=("evaluate",), recorded=("train", "evaluate")
        )
        executed = run_stages(work, folders, values, order)
        executed.summary["set"] += files
        run = record(work, values, executed, started, before)
        keep(workspace, run, executed, folders.processing_output)
        return run


def _results(folders: ContainerFolders) -> Path:
    """Return the folder of the training's results, unpacked if they are an archive."""
    folder = folders.processing_input("model")
    archive = folder / MODEL
    if archive.is_file():
        unpacked = folders.base / "trained"
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(unpacked, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise SlipwayError(
                f"not the results of a training: {error}", where=str(archive), fix=FIX
            ) from error
        return unpacked
    return folder
