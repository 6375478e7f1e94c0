"""Start the servers of the comparison as Triton is started: they always end with this process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.context import ROOT
from benchmarks.load import HOST
from slipway.server.supervisor_client import SUPERVISOR

START_S = 60.0
SETTLED_S = 3.0  # after the first worker listens, the others start within this time


@contextmanager
def server(arguments: list[str], log: Path, variables: dict[str, str]) -> Iterator[int]:
    """Start a Python module's server and yield its port; ``arguments`` may contain ``{port}``.

    Raises:
        RuntimeError: it does not listen.
    """
    with socket.socket() as holder:
        # reserves the port; the server can still bind it, see slipway.server.triton
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        port: int = holder.getsockname()[1]
        orders = {
            "argv": [sys.executable, "-m", *(argument.format(port=port) for argument in arguments)],
            "env": os.environ | variables,
            "after": [],
            "cwd": str(ROOT),
            "log": str(log),
            "owner": os.getpid(),
            "remove": [],
        }
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SUPERVISOR)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(orders).encode() + b"\n")
            process.stdin.flush()
            _await_port(port, log)
            yield port
        finally:
            process.stdin.close()
            process.stdout.close()
            process.wait()


def _await_port(port: int, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            time.sleep(SETTLED_S)
            return
    raise RuntimeError(f"not listening after {START_S:g} s:\n{log.read_text()}")
