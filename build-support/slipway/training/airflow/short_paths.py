"""Requests whose path is longer than MWAA's ``InvokeRestApi`` takes, asked in another way.

``Path`` has at most 64 characters there (RestApiPath in botocore's model of mwaa, which botocore
does not check, and AWS does). The path of a run names the model twice, and is longer. Airflow's
lists of all DAGs' runs and tasks take the same names in the request's body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from slipway.errors import SlipwayError
from slipway.training.airflow.api import Answer

LONGEST = 64
RUN = re.compile(r"/dags/(?P<dag>[^/]+)/dagRuns/(?P<run>[^/]+)(?P<tasks>/taskInstances)?")


class PathTooLong(SlipwayError):
    """No list has what such a path names."""


@dataclass(frozen=True)
class Listed:
    """A list to ask for instead; ``run`` is the one to pick from it, ``None`` for all."""

    path: str
    body: dict[str, Any]
    run: str | None

    def pick(self, answer: Answer) -> Answer:
        """Return what the long path would have answered."""
        if self.run is None or answer.status != 200:
            return answer
        for run in answer.body["dag_runs"]:
            if run["dag_run_id"] == self.run:
                return Answer(200, run)
        return Answer(404, {"detail": f"no run {self.run} among the newest"})


def list_instead(method: str, path: str, where: str) -> Listed:
    """Return the list that holds what a path of more than :data:`LONGEST` characters names.

    Raises:
        PathTooLong: there is none: what a task left, or a change.
    """
    found = RUN.fullmatch(path)
    if method != "GET" or found is None:
        raise PathTooLong(
            f"MWAA takes paths of {LONGEST} characters, and this has {len(path)}: {path}",
            where=where,
            fix='use the function of the stack, airflow = "lambda:NAME":'
            " slipway infra outputs training names it",
        )
    if found["tasks"]:
        body = {"dag_ids": [found["dag"]], "dag_run_ids": [found["run"]], "page_limit": 100}
        return Listed("/dags/~/dagRuns/~/taskInstances/list", body, None)
    body = {"dag_ids": [found["dag"]], "order_by": "-run_after", "page_limit": 100}
    return Listed("/dags/~/dagRuns/list", body, found["run"])
