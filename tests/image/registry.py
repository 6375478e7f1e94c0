"""Debian's registry of images, for tests that push and pull."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slipway.server.free_port import reserved_port

START_S = 120


@contextmanager
def registry(folder: Path, *, passwords: Path | None = None) -> Iterator[str]:
    """Debian's registry on a free port of this machine's loopback. It asks for the ``passwords`` of
    a file as ``htpasswd`` writes it."""
    with reserved_port() as port:
        pass
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if passwords is not None:
        settings["auth"] = {"htpasswd": {"realm": "test", "path": str(passwords)}}
    (folder / "registry.yml").write_text(json.dumps(settings))
    log = folder / "registry.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "registry.yml")],
            stdout=output,
            stderr=output,
            # it takes settings from variables, and one of skopeo's has such a name
            env={key: value for key, value in os.environ.items() if "REGISTRY" not in key},
        )
        try:
            _await_port(port, process, log)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def skopeo(*arguments: str) -> str:
    command = ["skopeo", "--insecure-policy", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends and process.poll() is None:
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the registry did not start: {log.read_text(errors='replace')[-2000:]}")
