"""Runs of a DAG: start one, and follow it to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.errors import SlipwayError
from slipway.training.airflow.api import (
    PASSING,
    AirflowApi,
    Answer,
    Unreachable,
    address,
    detail,
    unwrap,
)
from slipway.training.airflow.short_paths import PathTooLong

ACTIVE = ("queued", "running")
ENDED = ("success", "failed")
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 20.0  # seconds between questions
PATIENCE = 15 * 60.0  # seconds without an answer until it is given up
DEPLOY = "ci/airflow/deploy uploads the DAGs; Airflow takes a minute to see a new one"


@dataclass(frozen=True)
class DagRun:
    """A run as Airflow shows it; ``conf`` are the parameters that it was started with."""

    dag: str
    id: str
    state: str
    conf: Mapping[str, Any]


class Dag:
    """One DAG."""

    def __init__(self, api: AirflowApi, name: str) -> None:
        self.api = api
        self.name = name
        self.where = f"{api.where} {name}"

    def check(self) -> None:
        """Raise an error unless the DAG is there and active."""
        answer = self.api.send("GET", address("dags", self.name))
        if answer.status == 404:
            raise SlipwayError(f"Airflow has no DAG {self.name}", where=self.where, fix=DEPLOY)
        if unwrap(answer, self.where, DEPLOY).get("is_paused"):
            raise SlipwayError(
                f"{self.name} is paused: its runs would wait for ever",
                where=self.where,
                fix="switch it on, on Airflow's page of the DAG",
            )

    def active(self) -> list[DagRun]:
        """Return the runs that have not ended, oldest first."""
        query = {"state": [*ACTIVE], "order_by": ["run_after"], "limit": 10}
        answer = self.api.send("GET", address("dags", self.name, "dagRuns"), query=query)
        return [self._run(one) for one in unwrap(answer, self.where, DEPLOY)["dag_runs"]]

    def start(self, run_id: str, conf: Mapping[str, Any], note: str) -> DagRun:
        """Start a run. A second attempt with the same id finds the first one.

        Raises:
            SlipwayError: Airflow refuses it, such as for a parameter that the DAG does not have.
        """
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf), "note": note}
        answer = self.api.send("POST", address("dags", self.name, "dagRuns"), body)
        if answer.status == 409:
            return self.run(run_id)
        fix = "--set takes the names in params.yaml that were there when ci/airflow/deploy ran"
        return self._run(unwrap(answer, self.where, fix))

    def run(self, run_id: str) -> DagRun:
        """Return the run's present state."""
        answer = self.api.send("GET", address("dags", self.name, "dagRuns", run_id))
        return self._run(unwrap(answer, self.where, "start it again"))

    def tasks(self, run_id: str) -> dict[str, str]:
        """Return the states of the run's tasks, ``none`` before they are scheduled."""
        path = address("dags", self.name, "dagRuns", run_id, "taskInstances")
        found = unwrap(self.api.send("GET", path, query={"limit": 100}), self.where, DEPLOY)
        return {one["task_id"]: one["state"] or "none" for one in found["task_instances"]}

    def value(self, run_id: str, task: str, key: str = "return_value") -> Any:
        """Return what a task of the run left; ``None`` if it left nothing, or cannot be asked."""
        path = address(
            "dags", self.name, "dagRuns", run_id, "taskInstances", task, "xcomEntries", key
        )
        try:
            answer = self.api.send("GET", path)
        except PathTooLong:
            return None
        return answer.body["value"] if answer.status == 200 else None

    def stop(self, run_id: str) -> list[str]:
        """End a run: its tasks fail, and the DAG's own task after a failure stops the job and
        removes what it left. Return the tasks that were ended."""
        at_work = ("running", "deferred", "queued", "scheduled", "up_for_retry")
        ended = [task for task, state in self.tasks(run_id).items() if state in at_work]
        for task in ended:
            path = address("dags", self.name, "dagRuns", run_id, "taskInstances", task)
            unwrap(
                self.api.send("PATCH", path, {"new_state": "failed"}),
                self.where,
                "end it on Airflow's page of the run",
            )
        return ended

    def follow(
        self, run_id: str, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[tuple[str, str]]:
        """Yield each task with its state as it changes, and the run's own state last, as
        ``("", state)``. Faults that pass are waited for.

        Raises:
            SlipwayError: Airflow could not be asked for a quarter of an hour.
        """
        known: dict[str, str] = {}
        pause, silent = FIRST_PAUSE, 0.0
        while True:
            try:
                state = self.run(run_id).state
                changed = {
                    task: now
                    for task, now in self.tasks(run_id).items()
                    if now != known.get(task, "none")
                }
                silent = 0.0
            except Unreachable:
                if silent > PATIENCE:
                    raise
                sleep(LONGEST_PAUSE)
                silent += LONGEST_PAUSE
                continue
            known |= changed
            yield from changed.items()
            if state in ENDED:
                yield "", state
                return
            pause = FIRST_PAUSE if changed else min(pause * 1.5, LONGEST_PAUSE)
            sleep(pause)

    def _run(self, found: Mapping[str, Any]) -> DagRun:
        return DagRun(self.name, found["dag_run_id"], str(found["state"]), found.get("conf") or {})


class Patient:
    """An API that calls an error of the server what it is: a fault that passes."""

    def __init__(self, api: AirflowApi) -> None:
        self._api = api
        self.where = api.where

    def send(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        """See :meth:`slipway.training.airflow.api.AirflowApi.send`."""
        answer = self._api.send(method, path, body, query)
        if answer.status in PASSING:
            raise Unreachable(
                f"Airflow answers {answer.status}: {detail(answer)}",
                where=self.where,
                fix="try again later",
            )
        return answer
