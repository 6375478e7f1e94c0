"""Runs DAGs in one process, as it is told: started by Airflow's Python, without this library.

Each line of standard input is ``{"dag": …, "conf": {…}, "logical_date": …}``; each line of the
answers' file is ``{"run_id", "state", "tasks": {id: state}, "values": {id: returned}}``. The import
errors of the folder, if any, come first. ``dag.test()`` runs the tasks, and the triggers of those
that defer, in this process.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import timezone


def main() -> None:
    """Answer until the input ends."""
    folder = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
    sys.path.insert(0, folder)
    bag = DagBag(folder)
    with open(sys.argv[1], "w", encoding="utf-8", buffering=1) as answers:
        answers.write(json.dumps({"dags": sorted(bag.dags), "errors": bag.import_errors}) + "\n")
        for line in sys.stdin:
            try:
                answer = run(bag, json.loads(line))
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            answers.write(json.dumps(answer, default=str) + "\n")


def run(bag: Any, order: dict[str, Any]) -> dict[str, Any]:
    """Return what became of one run."""
    text = order.get("logical_date")
    date = datetime.fromisoformat(text) if text else timezone.utcnow()
    result = bag.dags[order["dag"]].test(
        run_conf=order.get("conf"),
        logical_date=date,
        run_after=date,  # it names the run: the same date again is the same run
    )
    instances = result.get_task_instances()
    return {
        "run_id": result.run_id,
        "state": result.state,
        "tasks": {one.task_id: one.state for one in instances},
        "tries": {one.task_id: one.try_number for one in instances},
        "values": {one.task_id: one.xcom_pull(task_ids=one.task_id) for one in instances},
        "why": {
            one.task_id: why
            for one in instances
            if (why := one.xcom_pull(task_ids=one.task_id, key="why"))
        },
    }


if __name__ == "__main__":
    main()
