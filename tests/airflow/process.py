"""Airflow as a process of its own environment: ``ci/airflow/python``."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "ci" / "airflow" / "python"
DRIVER = Path(__file__).with_name("driver.py")


def airflow_python() -> str:
    """Return Airflow's interpreter, installed once per user from its lockfile."""
    shown = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.executable)"],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=900,
    )
    return shown.stdout.strip()


def home(folder: Path, python: str) -> Path:
    """Return an ``AIRFLOW_HOME`` with an empty database. Its tables, which take ten seconds, are
    made once for each environment and copied."""
    kept = Path(python).parents[1] / "empty-airflow.db"
    with FileLock(f"{kept}.lock"):
        if not kept.is_file():
            first = folder / "first"
            first.mkdir(parents=True)
            subprocess.run(
                [python, "-m", "airflow", "db", "migrate"],
                env=variables(first, first / "dags"),
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=300,
            )
            shutil.move(first / "airflow.db", kept)
    made = folder / "airflow"
    made.mkdir()
    shutil.copy(kept, made / "airflow.db")
    return made


def variables(
    home: Path, dags: Path, aws: str = "", slack: str = "", **more: str
) -> dict[str, str]:
    """Return the environment of an Airflow whose AWS is ``aws``, and whose Slack is ``slack``."""
    path = f"{Path(os.environ.get('PATH', '/usr/bin:/bin'))}"
    return {
        "PATH": path,
        "HOME": os.environ["HOME"],
        "LANG": "C.UTF-8",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW_CONN_SLIPWAY_SLACK": json.dumps({"conn_type": "slackwebhook", "password": slack}),
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1,localhost",
        "SCARF_ANALYTICS": "false",
        **more,
    }


@dataclass
class Airflow:
    """A process that runs DAGs when asked."""

    process: subprocess.Popen[str]
    answers: Path
    log: Path
    _read: int = 0

    def answer(self, timeout: float = 300) -> dict[str, Any]:
        """Return its next answer."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            lines = self.answers.read_text().splitlines(True) if self.answers.is_file() else []
            if len(lines) > self._read and lines[self._read].endswith("\n"):
                self._read += 1
                found: dict[str, Any] = json.loads(lines[self._read - 1])
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"no answer from Airflow:\n{self.log.read_text()[-4000:]}")

    def order(self, dag: str, **order: Any) -> None:
        """Start a run of a DAG."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"dag": dag, **order}) + "\n")
        self.process.stdin.flush()

    def run(self, dag: str, **order: Any) -> dict[str, Any]:
        """Return what became of a run of a DAG."""
        self.order(dag, **order)
        return self.answer()


@contextlib.contextmanager
def started(folder: Path, python: str, environment: Mapping[str, str]) -> Iterator[Airflow]:
    """Run the driver while the block runs; its log and answers lie in ``folder``."""
    folder.mkdir(exist_ok=True)
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [python, str(DRIVER), str(folder / "answers")],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            yield Airflow(process, folder / "answers", folder / "log")
        finally:
            process.kill()
            process.wait()
