"""``ci/airflow/check`` fails with each mistake that would stop the DAGs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slipway.training.airflow.describe import dump
from tests.airflow import process, site

BAD = Path(__file__).parent / "fixtures" / "bad"
CHECK = process.ROOT / "ci" / "airflow" / "check.py"


def _changed(described: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> str:
    copy = json.loads(json.dumps(described))
    change(copy["models"]["churn"])
    return dump(copy)


# what is changed in the description, and what is said of it
MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "missing_step": (lambda model: model.pop("evaluate"), "churn lacks evaluate"),
    "unknown_parameter": (
        lambda model: model["train"].update(TrainingJobName="{{ params.nonce }}"),
        "train_churn.result.train: config: {{ params.nonce }}: 'dict object' has no attribute",
    ),
    "refused_value": (
        lambda model: model.update(code="code.tar.gz"),
        "the default values are not valid",
    ),
}
FOLDERS = {
    "cycle": "Cycle detected in Dag",
    "asks_the_network": "connects to ('127.0.0.1', 9) at import",
    "no_dag": "no DAG",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("check")
    described = site.description(site.repository(folder / "repository", ("churn",)))
    texts = {"good": dump(described)}
    texts |= {name: _changed(described, change) for name, (change, _) in MISTAKES.items()}
    for name, text in texts.items():
        shutil.copytree(process.ROOT / "ci" / "airflow" / "dags", folder / name)
        (folder / name / "slipway_training.json").write_text(text)
    for name in FOLDERS:
        shutil.copytree(BAD / name, folder / name)
    home = folder / "home"
    checked = subprocess.run(
        [process.airflow_python(), "-W", "ignore", str(CHECK)]
        + [str(folder / name) for name in (*texts, *FOLDERS)],
        env=process.variables(home, folder) | {"AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert checked.returncode == 1, checked.stdout
    return checked.stdout + checked.stderr


@pytest.mark.parametrize("name", [*MISTAKES, *FOLDERS])
def test_a_mistake_that_stops_a_dag_is_found(said: str, name: str) -> None:
    expected = FOLDERS.get(name) or MISTAKES[name][1]
    lines = [line for line in said.splitlines() if line.startswith(f"error: {name}: ")]
    assert any(expected in line for line in lines), said[-3000:]


def test_the_dags_of_this_repository_have_no_mistake(said: str) -> None:
    assert "2 DAGs (deploy, train_churn): 0 problems" in said
    assert "error: good" not in said
