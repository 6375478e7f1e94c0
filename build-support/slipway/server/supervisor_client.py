"""Start and stop :mod:`slipway.server.supervisor`, which outlives this process to clean up."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from slipway.server.command import Command

SUPERVISOR = Path(__file__).with_name("supervisor.py")


def start_supervisor(
    server: Command | None, remove: Sequence[str], *, cwd: Path = Path("/"), log: Path | None = None
) -> subprocess.Popen[bytes]:
    """Run ``server`` in ``cwd``, its output appended to ``log``, until :func:`stop_supervisor` is
    called or this process has ended, however it ended. Then remove what the patterns ``remove``
    match.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(SUPERVISOR)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C goes to the terminal's process group; the server is stopped in order instead
        start_new_session=True,
        cwd="/",
    )
    orders = {
        "argv": server.argv if server else None,
        "env": server.env if server else None,
        "after": server.after if server else None,
        "cwd": str(cwd),
        "log": str(log.resolve()) if log else None,
        "owner": os.getpid(),
        "remove": remove,
    }
    assert process.stdin is not None
    process.stdin.write(json.dumps(orders).encode() + b"\n")
    process.stdin.flush()
    return process


def await_exit(process: subprocess.Popen[bytes], timeout_s: float) -> str | None:
    """Return how the server has ended; ``None`` if it has not ended within ``timeout_s``.

    To be called once: the supervisor reports the end once.
    """
    assert process.stdout is not None
    ended, _, _ = select.select([process.stdout], [], [], timeout_s)
    return describe_exit(process.stdout.readline()) if ended else None


def describe_exit(report: bytes) -> str:
    """Describe the supervisor's report of a server's end: ``by signal 6 (SIGABRT)``.

    The exit code of a process that a signal ended is the negative number of the signal.
    """
    try:
        code = int(json.loads(report)["exit"])
    except (ValueError, KeyError):
        return "in an unknown way"
    if code >= 0:
        return f"with status {code}"
    try:
        return f"by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"by signal {-code}"


def stop_supervisor(process: subprocess.Popen[bytes]) -> None:
    """Stop the server, and wait until nothing of it is left."""
    assert process.stdin is not None and process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    process.stdout.close()
    process.wait()
