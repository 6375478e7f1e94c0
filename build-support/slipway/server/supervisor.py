"""Run a server as long as its owner lives, and leave nothing of it behind.

A separate script (``python -I -S supervisor.py``, standard library only), because the process that
starts a server may be killed with SIGKILL and then cannot clean up. It reads one JSON line from its
standard input, starts the server, and kills it when that input is closed or the owner has ended;
without a server it only waits for that. Then it removes the shared memory and directories named in
its orders. Killing leaves nothing that a graceful end, which takes two seconds, would not: every
descendant (the Python backend's processes among them) is reaped here. If the server ends by itself,
it prints ``{"exit": code}``.
"""

from __future__ import annotations

import contextlib
import ctypes
import glob
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
REMOVALS = 50
libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Serve as the orders on standard input say, then clean up."""
    orders: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    # orphans of the server become children of this process, so that none escapes
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    try:
        if os.getppid() == orders["owner"]:
            owner = os.pidfd_open(orders["owner"])
            if orders["argv"]:
                _serve(orders, owner)
            # both the pipe and the owner are watched: a fork of the owner may hold the pipe open
            select.select([sys.stdin, owner], [], [])
    finally:
        _kill_descendants()
        if orders["after"]:
            subprocess.run(orders["after"], stdin=subprocess.DEVNULL, check=False)
        for pattern in orders["remove"]:
            for path in glob.glob(pattern):
                _remove(path)


def _serve(orders: dict[str, Any], owner: int) -> None:
    """Serve until the server or its owner ends."""
    with open(orders["log"], "ab") as log:
        server = subprocess.Popen(
            orders["argv"],
            env=orders["env"],
            cwd=orders["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_supervisor,
        )
    ended = os.pidfd_open(server.pid)
    readable, _, _ = select.select([sys.stdin, owner, ended], [], [])
    if readable == [ended]:
        print(json.dumps({"exit": server.wait()}), flush=True)
        _kill_descendants()


def _die_with_supervisor() -> None:
    for restored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(restored, signal.SIG_DFL)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _kill_descendants() -> None:
    """Kill and reap until no child is left; the orphans of a dead child become children of this
    process."""
    while True:
        for child in _children():
            os.kill(child, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def _children() -> list[int]:
    children = []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat, encoding="utf-8", errors="replace") as file:
                # "pid (name) state parent …", and the name may hold anything
                pid, rest = file.read().split(" ", 1)
        except OSError:
            continue  # it ended after it was listed
        if int(rest.rpartition(")")[2].split()[1]) == os.getpid():
            children.append(int(pid))
    return children


def _remove(path: str) -> None:
    # repeated: a process that is just ending may write a last file
    for _ in range(REMOVALS):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        if not os.path.lexists(path):
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
