"""The step ``train``, as a training job runs it: the stages that the weights need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from slipway.training.container.folders import ContainerFolders, container_folders
from slipway.training.container.step import (
    failure_written,
    keep,
    order_of,
    parameters_of,
    record,
    run_stages,
)
from slipway.training.run import TrainingRun
from slipway.training.workspace import Workspace


def train(
    values: Mapping[str, str] | None = None,
    *,
    work: Path | None = None,
    folders: ContainerFolders | None = None,
) -> TrainingRun:
    """Run the stages that make the weights; leave the results in ``SM_MODEL_DIR``.

    ``values`` are the job's hyperparameters: ``model``, ``run``, ``commit``, ``dirty``, ``place``,
    ``image``, ``reason``, ``force`` and ``set.<parameter>``; by default those of
    ``hyperparameters.json``. ``work`` is the unpacked archive of code, by default the working
    directory. The results are a folder of :mod:`slipway.training.results`.

    Raises:
        SlipwayError: a stage failed; ``output/failure`` says why.
        Interrupted: by SIGTERM. A job that starts again continues from the checkpoints.
    """
    folders = folders or container_folders()
    work = (work or Path.cwd()).resolve()
    with failure_written(folders):
        values = folders.hyperparameters() if values is None else values
        started = datetime.now(UTC)
        workspace = Workspace.of(work)
        order = replace(
            order_of(folders, work, values), steps=("train",), parameters=parameters_of(values)
        )
        executed = run_stages(work, folders, values, order)
        run = record(work, values, executed, started)
        keep(workspace, run, executed, folders.model)
        return run
