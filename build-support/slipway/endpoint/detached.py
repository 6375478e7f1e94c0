"""Run an endpoint in the background: start it and wait until it serves, and stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import slipway
from slipway.endpoint import registry
from slipway.errors import SlipwayError

PAUSE_S = 0.1
STOP_S = 60.0  # a server that does not end by itself is killed after less
LAST_LINES = 10


def start(root: Path, names: Sequence[str], arguments: Sequence[str], wait_s: float) -> str:
    """Start ``slipway endpoint up`` with ``arguments`` in the background; return its URL.

    It is a session of its own, so that neither Ctrl-C nor a closed terminal ends it. Its output
    goes to ``.slipway/logs/endpoint_up_<name>.log``.

    Raises:
        SlipwayError: it ended, or does not serve all ``names`` after ``wait_s`` seconds; then it is
            stopped.
    """
    log = root / ".slipway" / "logs" / f"endpoint_up_{names[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    library = str(Path(slipway.__file__).parent.parent)
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "slipway", "endpoint", "up", *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SlipwayError(
                f"the endpoint ended with exit code {process.returncode}:\n{_last_lines(log)}",
                where=str(log),
                fix="correct what its last lines name",
            )
        if all(registry.find_pid(root, name) == process.pid for name in names):
            return registry.find_url(root, names[0])
        time.sleep(PAUSE_S)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    raise SlipwayError(
        f"the endpoint did not serve within {wait_s:g} s and was stopped:\n{_last_lines(log)}",
        where=str(log),
        fix="wait longer: --wait SECONDS",
    )


def stop(root: Path, names: Sequence[str]) -> None:
    """Stop the processes that serve ``names``, and with them the other endpoints that they serve.

    Raises:
        SlipwayError: one of them is not running, or does not end.
    """
    pids = {registry.find_pid(root, name): name for name in names}
    for pid, name in pids.items():
        if pid is None:
            registry.find_url(root, name)  # says that it is not running
            raise AssertionError("an endpoint without a process has no URL")
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while any(_is_running(pid) for pid in pids if pid):
        if time.monotonic() > deadline:
            numbers = " ".join(str(pid) for pid in pids)
            raise SlipwayError(
                f"the endpoint has not ended after {STOP_S:g} s", fix=f"kill -KILL {numbers}"
            )
        time.sleep(PAUSE_S)


def _is_running(pid: int) -> bool:
    """Return whether a process has not ended; one that its parent has not awaited yet has."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"  # proc(5): the state follows the name


def _last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(f"  {line}" for line in lines[-LAST_LINES:])
