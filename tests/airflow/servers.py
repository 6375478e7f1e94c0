"""A whole Airflow on loopback: api-server, scheduler, DAG processor and triggerer, on sqlite."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PARTS = ("api-server", "scheduler", "dag-processor", "triggerer")
USER, PASSWORD = "ci", "of-this-test"


@dataclass
class Servers:
    """Where it is asked, and its processes by name."""

    url: str
    logs: Path
    processes: Mapping[str, subprocess.Popen[bytes]]

    def log(self, part: str) -> str:
        """Return what one of its processes has printed."""
        return (self.logs / f"{part}.log").read_text(errors="replace")


@contextlib.contextmanager
def running(python: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Servers]:
    """Run all four while the block runs; ``environment`` is that of ``process.variables``."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({USER: PASSWORD}))
    secret = "of-this-test-and-no-other-anywhere-"
    variables = {
        **environment,
        "PATH": f"{Path(python).parent}:{environment['PATH']}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secret * 2,
        "AIRFLOW__API_AUTH__JWT_SECRET": secret * 2,
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:op",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    }
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for part in PARTS:
            with open(folder / f"{part}.log", "wb") as log:
                processes[part] = subprocess.Popen(
                    [python, "-m", "airflow", part],
                    env=variables,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            if part == "api-server":
                _wait(url, processes[part])
        yield Servers(url, folder, processes)
    finally:
        for process in processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/api/v2/version", timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"Airflow's api-server did not start at {url}")
