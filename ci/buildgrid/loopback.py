"""Start a remote cache and its workers on loopback, for tests and benchmarks.

It is imported from Python 3.9 and 3.12, and runs BuildGrid in an environment of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "ci" / "buildgrid" / "python"


@dataclass(frozen=True)
class RemoteCache:
    """A server whose storage and tokens, `reader` and `writer`, are in `folder`."""

    folder: Path
    url: str
    process: subprocess.Popen[str]

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.partition("//")[2]

    def options(self, token: str, *, writes: bool) -> tuple[str, ...]:
        """Pants' options for a holder of `token`; with `writes` Pants tries to write."""
        return (
            f"--remote-store-address={self.url}",
            f"--remote-oauth-bearer-token-path={self.folder / token}",
            "--remote-cache-read",
            f"--remote-cache-write={str(writes).lower()}",
            "--remote-store-rpc-concurrency=32",
            "--remote-cache-rpc-concurrency=32",
            "--remote-cache-rpc-timeout-millis=3000",
        )

    def execution_options(self) -> tuple[str, ...]:
        """Pants' options for running steps on this server's workers; it was started `--open`."""
        return (
            f"--remote-store-address={self.url}",
            f"--remote-execution-address={self.url}",
            "--remote-execution",
            "--remote-store-rpc-concurrency=32",
            "--remote-execution-rpc-concurrency=32",
        )

    def poison(self, word: str, other: str) -> int:
        """Put `other` behind every result of a step with the argument `word`; return how many."""
        arguments = (ROOT / "ci/buildgrid/poison.py", self.address, self.folder, word, other)
        done = subprocess.run([PYTHON, *arguments], check=True, stdout=subprocess.PIPE, text=True)
        return int(done.stdout)


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[RemoteCache]:
    """A server until the block ends; it is installed once per user.

    A second one in the same `folder` has the same tokens.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [PYTHON, ROOT / "ci/buildgrid/serve.py", folder, *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        yield RemoteCache(folder, json.loads(line)["url"], process)
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True)
class Worker:
    """A worker of a remote execution, whose steps have the home `home`."""

    home: Path
    process: subprocess.Popen[bytes]

    def ran(self) -> list[str]:
        """The steps that it began."""
        log = self.home / "ran"
        return log.read_text().split() if log.exists() else []

    def began(self, step: str) -> int:
        """How many steps of a kind it began, such as "pack"."""
        log = (self.home / "log").read_text(errors="replace")
        return sum(f" {step} " in line for line in log.splitlines())

    def kill(self) -> None:
        """End it together with what it runs, as if its machine were gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def working(url: str, name: str, home: Path) -> Iterator[Worker]:
    """A worker of the server at `url` until the block ends."""
    home.mkdir(parents=True, exist_ok=True)
    program = (PYTHON, ROOT / "ci/buildgrid/work.py", url.partition("//")[2], name, home / "work")
    # its interpreters are those of these tests
    path = f"{os.path.dirname(os.path.realpath(sys.executable))}:{os.environ['PATH']}"
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [*program, "--home", home, "--path", path],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    worker = Worker(home, process)
    try:
        yield worker
    finally:
        worker.kill()


def postgres() -> Path | None:
    """The folder of PostgreSQL's programs, which BuildGrid's queue needs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextlib.contextmanager
def database(programs: Path) -> Iterator[str]:
    """An empty PostgreSQL on loopback until the block ends: its URL."""
    # it does not run as root
    prefix = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    with tempfile.TemporaryDirectory() as name, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        if prefix:
            shutil.chown(name, "postgres")
        data = f"{name}/data"
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {name}"
        control = (*prefix, str(programs / "pg_ctl"), "-D", data, "-w")

        def run(*command: str) -> None:
            subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

        run(*prefix, str(programs / "initdb"), "-A", "trust", "-U", "postgres", "-D", data)
        run(*control, "-o", options, "-l", f"{name}/log", "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            run(*control, "-m", "immediate", "stop")
