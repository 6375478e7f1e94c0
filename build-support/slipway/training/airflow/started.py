"""A training that was started as a run of a DAG: followed, left, or stopped."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.api import Unreachable
from slipway.training.airflow.runs import Dag, DagRun
from slipway.training.bucket import open_bucket
from slipway.training.engine.environment import lock_digest
from slipway.training.place import TrainingOutcome, TrainingRequest
from slipway.training.run import TrainingRun, parse_run

# states of tasks that people want to hear of, in words
WORDS = {
    "running": "runs",
    "deferred": "waits for its job",
    "success": "done",
    "failed": "FAILED",
    "up_for_retry": "failed; is tried again",
    "skipped": "skipped",
}
QUIET = ("failure.",)  # groups whose skipping says nothing


class StartedDagRun:
    """See :class:`slipway.training.place.StartedTraining`. ``link`` is the run's page."""

    def __init__(
        self,
        dag: Dag,
        run: DagRun,
        link: str,
        request: TrainingRequest,
        places: TrainingPlaceSettings,
    ) -> None:
        self._dag, self._run, self.link, self._request = dag, run, link, request
        self._places = places
        self._report = request.report

    @property
    def jobs(self) -> tuple[str, ...]:
        """See :meth:`slipway.training.place.StartedTraining.jobs`."""
        return (self.link,)

    def wait(self) -> TrainingOutcome:
        """See :meth:`slipway.training.place.StartedTraining.wait`. A person at a terminal who
        interrupts is asked whether to stop the run; anything else leaves it."""
        try:
            state = self._follow()
        except KeyboardInterrupt:
            if self._is_to_stop():
                self.stop()
            else:
                self._report(f"the run goes on: {self.link}")
            raise
        except Unreachable as error:
            raise SlipwayError(
                f"{error.what}; the run goes on", where=self.link, fix="look there how it ends"
            ) from error
        if state != "success":
            raise self._failure()
        return TrainingOutcome(self._record(), in_checkout=False, links=self._links())

    def stop(self) -> None:
        """End the run, and the job that it waits for."""
        ended = self._dag.stop(self._run.id)
        self._report(f"stopped: {', '.join(ended) or 'nothing was at work'}")

    def _follow(self) -> str:
        for task, state in self._dag.follow(self._run.id):
            if not task:
                return state
            if state in WORDS and not (state == "skipped" and task.startswith(QUIET)):
                self._report(f"  {task}: {WORDS[state]}")
        raise AssertionError("a run is followed to its end")

    def _is_to_stop(self) -> bool:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        sys.stderr.write(f"\nStop the run {self._run.id}? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _failure(self) -> SlipwayError:
        told = self._value("failure.clean")
        text = told.get("text") if isinstance(told, Mapping) else None
        if text is None and (mark := self._stored("failed.json")):
            text = f"failed at {mark['step']}: {mark['reason']}; " + " ".join(mark["log"])
        failed = [
            task
            for task, state in self._dag.tasks(self._run.id).items()
            if state == "failed" and not task.startswith(QUIET)
        ]
        return SlipwayError(
            str(text or f"the run failed at {', '.join(failed) or 'no task'}"),
            where=self.link,
            fix="read the log that it names; slipway train runs the same stages on this machine",
        )

    def _record(self) -> TrainingRun:
        """Return the run's record, which the task ``result.verdict`` passed on.

        Raises:
            SlipwayError: there is none: nothing was to do, or the record is damaged.
        """
        verdict = self._value("result.verdict")
        if isinstance(verdict, Mapping) and isinstance(verdict.get("run"), Mapping):
            if verdict.get("text"):
                self._report(str(verdict["text"]))
            return parse_run(json.dumps(verdict["run"]), where=self.link)
        why = self._dag.value(self._run.id, "due", "why")
        skipped = self._dag.tasks(self._run.id).get("result.train") == "skipped"
        if verdict is None and (skipped or why is not None):
            self._report(str(why or "nothing to do, says the task due"))
            return self._unchanged()
        if record := self._stored("comparison/run.json"):
            return parse_run(json.dumps(record), where=self.link)
        raise SlipwayError(
            "the run ended well, and left no record", where=self.link, fix="read its task verdict"
        )

    def _unchanged(self) -> TrainingRun:
        """Return the record of a run in which nothing was to do: no stage ran."""
        conf = self._run.conf
        return TrainingRun(
            id=self._run.id,
            model=self._request.model,
            place="airflow",
            commit=str(conf.get("commit", "")),
            dirty=bool(conf.get("dirty")),
            started=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            seconds=0.0,
            lock_sha256=lock_digest(self._request.folder),
            stages=(),
            jobs=self.jobs,
        )

    def _links(self) -> tuple[str, ...]:
        if self._dag.tasks(self._run.id).get("proposal.propose") != "success":
            return (self.link,)
        proposed = self._value("proposal.remember")
        if not isinstance(proposed, Mapping):
            proposed = self._stored("proposal/proposal.json") or {}
        request = proposed.get("merge_request")
        return (self.link, *([str(request)] if request else []))

    def _stored(self, name: str) -> Any:
        """Return a JSON file of the run in the bucket, for an Airflow that cannot be asked what a
        task left; ``None`` if there is none."""
        data = open_bucket(self._places).read(f"{self._request.model}/{self._run.id}/{name}")
        return None if data is None else json.loads(data)

    def _value(self, task: str) -> Any:
        value = self._dag.value(self._run.id, task)
        if isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value
