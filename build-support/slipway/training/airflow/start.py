"""Start a run of any DAG and follow it: ``… -m slipway.training.airflow.start DAG NAME=VALUE…``.

For DAGs that no command of ours starts, such as ``deploy``. Exits with 1 if the run fails.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from slipway import settings as repository
from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.training.airflow.links import run_page
from slipway.training.airflow.runs import Dag, Patient
from slipway.training.airflow.ways import open_api
from slipway.training.run import new_run_id


def start(settings: Settings, name: str, values: Mapping[str, str]) -> None:
    """Run the DAG ``name`` with ``values`` as its parameters; print its tasks as they change.

    Raises:
        SlipwayError: Airflow refuses it, or the run failed.
    """
    dag = Dag(Patient(open_api(settings.training)), name)
    dag.check()
    run = dag.start(new_run_id(name, datetime.now(UTC)), values, values.get("reason", ""))
    link = run_page(dag.api.where, settings.training, name, run.id)
    print(f"run: {link}", flush=True)
    state = ""
    for task, state in dag.follow(run.id):
        if task and state != "skipped":
            print(f"  {task}: {state}", flush=True)
    if state != "success":
        told = dag.value(run.id, "failure.why")
        text = told.get("text") if isinstance(told, Mapping) else None
        raise SlipwayError(str(text or "the run failed"), where=link, fix="read the log it names")


def main(arguments: Sequence[str]) -> None:
    """Start the run that the arguments name."""
    pairs = [argument.partition("=") for argument in arguments[1:]]
    if not arguments or not all(equals and name for name, equals, _ in pairs):
        raise SlipwayError("not a DAG and NAME=VALUE", fix="ci/airflow/start DAG NAME=VALUE…")
    values = {name: value for name, _, value in pairs if value}
    start(repository.load(Path.cwd()), arguments[0], values)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SlipwayError as problem:
        sys.exit(f"error: {problem}")
