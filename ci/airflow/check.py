"""Finds what would stop the DAGs in Airflow: ``ci/airflow/check`` runs it in Airflow's Python.

Import errors, cycles, names or parameters that a template uses and the DAG does not have, values
that a parameter refuses, and network or database at import. Exits with 1, and a line for each.
"""

from __future__ import annotations

import re
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TEMPLATE = re.compile(r"\{\{|\{%")


def main(folders: list[str]) -> int:
    """Print each folder's problems; return the exit code."""
    found = [check_folder(str(Path(folder).resolve())) for folder in folders]
    return 1 if any(found) else 0


def check_folder(folder: str) -> list[str]:
    """Return what is wrong with the DAGs in a folder, and print it."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # Airflow 3.0 and 3.1
        from airflow.models.dagbag import DagBag

    sys.path.insert(0, folder)
    connected: list[str] = []
    connect = socket.socket.connect

    def refuse(_: socket.socket, address: Any) -> None:
        connected.append(str(address))
        raise OSError(f"no network at import: {address}")

    socket.socket.connect = refuse  # type: ignore[method-assign,assignment]
    try:
        bag = DagBag(folder)
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        sys.path.remove(folder)
    problems = [
        f"{Path(path).name}: {text.strip().splitlines()[-1]}"
        for path, text in bag.import_errors.items()
    ]
    problems += [f"connects to {address} at import" for address in connected]
    if not bag.dags and not problems:
        problems.append("no DAG")
    for dag in bag.dags.values():
        problems += check_dag(dag)
    for problem in problems:
        print(f"error: {Path(folder).name}: {problem}", file=sys.stderr)
    names = ", ".join(sorted(bag.dags)[:10]) + (" …" if len(bag.dags) > 10 else "")
    print(f"{len(bag.dags)} DAGs ({names}): {len(problems)} problems")
    return problems


def check_dag(dag: Any) -> list[str]:
    """Return what is wrong with a DAG that was imported."""
    problems = []
    try:
        dag.check_cycle() if hasattr(dag, "check_cycle") else dag.validate()
    except Exception as error:
        problems.append(f"{dag.dag_id}: {error}")
    for name in dag.params:
        if dag.params.get_param(name).value is None:
            continue  # whoever starts it gives it
        try:
            dag.params.get_param(name).resolve()
        except Exception as error:
            problems.append(f"{dag.dag_id}: parameter {name}: {str(error).splitlines()[0]}")
    for task in dag.tasks:
        for field in task.template_fields:
            for template in texts(getattr(task, field, None)):
                problems += render(dag, task, field, template)
    return problems


def texts(value: Any) -> list[str]:
    """Return the templates in a field, however deep."""
    if isinstance(value, str):
        return [value] if TEMPLATE.search(value) else []
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item)]
    return []


def render(dag: Any, task: Any, field: str, template: str) -> list[str]:
    """Return why a template cannot be rendered for a run without parameters of its own."""
    import jinja2

    class Anything:
        """What an earlier task returns, of which nothing is known yet."""

        def __getitem__(self, _: object) -> Anything:
            return self

        def __str__(self) -> str:
            return "s3://bucket/key"

    environment = dag.get_template_env()
    environment.undefined = jinja2.StrictUndefined
    now = datetime(2026, 1, 1, tzinfo=UTC)
    run = SimpleNamespace(run_id="manual__2026", run_after=now, logical_date=now, run_type="manual")
    instance = SimpleNamespace(
        xcom_pull=lambda **_: Anything(), log_url="http://127.0.0.1/dags/d/runs/r/tasks/t"
    )
    params = {name: dag.params.get_param(name).value for name in dag.params}
    for name, value in params.items():
        if value is None:  # whoever starts it gives it
            params[name] = dag.params.get_param(name).schema.get("enum", ["any"])[0]
    try:
        environment.from_string(template).render(params=params, dag_run=run, ti=instance, dag=dag)
    except jinja2.TemplateError as error:
        return [f"{dag.dag_id}.{task.task_id}: {field}: {template}: {error}"]
    return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
