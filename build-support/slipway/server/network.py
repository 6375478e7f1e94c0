"""The network of a server: a namespace of its own, where the machine has them.

Triton's SageMaker port listens on all interfaces, and its control calls load any folder, whose code
then runs as the server's user. In a namespace it can be reached through a socket in the server's
own folder only, which other users cannot enter.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.server.isolate_network import CONNECT, HTTP, SHARED
from slipway.server.source import SourceKind

SCRIPT = Path(__file__).with_name("isolate_network.py")
FOLDER = "network"
PATIENCE_S = 10.0
DOCKER = "Docker publishes it on loopback"


def isolated(argv: Sequence[str], folder: Path, port: int) -> list[str]:
    """Return the command that runs ``argv``, which listens on ``port``, in a namespace of its own
    that is entered through the new ``folder``."""
    folder.mkdir(mode=0o700)
    orders = json.dumps({"folder": str(folder), "port": port})
    return [sys.executable, "-I", "-S", str(SCRIPT), orders, *argv]


def shared_because(folder: Path) -> str | None:
    """Return why the server of ``folder`` shares the machine's network, if it does."""
    if not folder.is_dir():
        return "it was started without a network of its own"
    file = folder / SHARED
    return file.read_text(encoding="utf-8") if file.is_file() else None


def reject_shared_network(kind: SourceKind) -> None:
    """Refuse to serve where other users of this machine can reach a server of that ``kind``.

    Raises:
        SlipwayError: they can.
    """
    reason = DOCKER if kind == "docker" else why_not()
    if reason is not None:
        raise SlipwayError(
            "every user of this machine could run code as you: Triton loads any folder it is asked"
            f" to, and its port cannot be hidden ({reason})",
            fix="allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, or"
            " kernel.apparmor_restrict_unprivileged_userns=0); or add --shared-machine, if you"
            " trust all of its users",
        )


def why_not() -> str | None:
    """Return why this machine has no network namespaces for this user, if so."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip() or "unknown"


def http_socket(folder: Path) -> Path:
    """Return the Unix socket that is the server's port, for ``curl --unix-socket``."""
    return folder / HTTP


def connect(folder: Path) -> socket.socket:
    """Return a new connection to the server of ``folder``.

    Raises:
        OSError: it does not listen.
    """
    directory = os.open(folder, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(PATIENCE_S)
            channel.connect(f"/proc/self/fd/{directory}/{CONNECT}")
            _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    finally:
        os.close(directory)
    if not descriptors:
        raise ConnectionRefusedError("the server does not listen")
    connection = socket.socket(fileno=descriptors[0])
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
