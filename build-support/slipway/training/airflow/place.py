"""The place ``airflow``: a run of the model's DAG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.training.airflow.code import Code, upload_code
from slipway.training.airflow.links import run_page
from slipway.training.airflow.runs import Dag, DagRun, Patient
from slipway.training.airflow.started import StartedDagRun
from slipway.training.airflow.ways import open_api
from slipway.training.place import TrainingRequest
from slipway.training.run import PlaceName

DAG_PREFIX = "train_"
LONGEST_REASON = 200  # of the DAG's parameter


class AirflowPlace:
    """Train by Airflow. See :class:`slipway.training.place.Place`."""

    name: PlaceName = "airflow"
    detachable = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def start(self, request: TrainingRequest) -> StartedDagRun:
        """Upload the code, and start a run of the model's DAG. See
        :meth:`slipway.training.place.Place.start`.

        A run of the same code and parameters that has not ended is joined, and any other one
        refuses this one: Airflow would let it wait.
        """
        api = Patient(open_api(self._settings.training))
        dag = Dag(api, f"{DAG_PREFIX}{request.model}")
        dag.check()
        code = upload_code(
            self._settings,
            request.model,
            allow_dirty=request.allow_dirty,
            report=request.report,
        )
        conf = configuration(request, code)
        run = joinable(dag, request, conf)
        if run is None:
            note = (request.reason or "slipway train")[:LONGEST_REASON]
            run = dag.start(request.run_id, conf, note)
        link = run_page(api.where, self._settings.training, dag.name, run.id)
        request.report(f"run: {link}")
        return StartedDagRun(dag, run, link, request, self._settings.training)


def configuration(request: TrainingRequest, code: Code) -> dict[str, Any]:
    """Return the parameters of the DAG's run."""
    return {
        "code": code.address,
        "commit": code.commit,
        "dirty": code.dirty,
        "parameters": dict(request.parameters),
        "reason": (request.reason or "")[:LONGEST_REASON],
        "force": request.force,
    }


def joinable(dag: Dag, request: TrainingRequest, conf: Mapping[str, Any]) -> DagRun | None:
    """Return the run that has not ended and does the same; ``None`` if none is active.

    Raises:
        SlipwayError: an active run does something else.
    """
    same = ("code", "parameters")
    for run in dag.active():
        if run.id == request.run_id or all(run.conf.get(key) == conf[key] for key in same):
            request.report(f"{run.id} trains the same already, and is joined ({run.state})")
            return run
        raise SlipwayError(
            f"{run.id} of {request.model} has not ended ({run.state}), with other code or"
            " parameters; one run a model at a time",
            where=dag.where,
            fix="wait for it, or end it on Airflow's page of the run",
        )
    return None
