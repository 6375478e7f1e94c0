"""End loads that Triton would wait for without end.

When it starts a model's process, Triton waits for its first message without a limit of time
(StubLauncher::Launch in stub_launcher.cc, with boost's semaphore; seen on 24.10). A process that
ends before that, because its environment is damaged or lacks a library, leaves a load that never
returns, and a thread that nothing frees.

So another process of the same program sends the message in its place, and then refuses to load.
Triton fails the load, and everything else it has loaded stays.
"""

from __future__ import annotations

import ctypes
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from slipway.server import backends
from slipway.server.source import Source

# Triton notices within two seconds that a process ended after its first message, and reaps it
UNNOTICED_S = 5.0
POLL_S = 1.0
SHM = Path("/dev/shm")
# where a region's first allocation lies, by which the process finds its queues: the same in each
# (seen on 24.10)
IPC_CONTROL = "336"
REFUSING = "refusing"  # its folder
# what the process imports first, and the model that has to be there
UTILITIES, MODEL = "triton_python_backend_utils.py", "model.py"
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)
REFUSAL = 'raise RuntimeError("the process of the model ended before it answered Triton")\n'


@dataclass(frozen=True)
class StubProgram:
    """How to start a model's process: the program, its environment, a folder to write in, and what
    the names of its server's regions of shared memory begin with."""

    program: Path
    env: Mapping[str, str]
    folder: Path
    regions: str


def stub_program(
    source: Source, python: str, env: Mapping[str, str], folder: Path, regions: str
) -> StubProgram | None:
    """Return the program of a server that runs with ``env``; ``None`` unless its files are the
    wheel's, whose layout of shared memory is known."""
    if source.kind != "wheel":
        return None
    program = backends.prepare(source, python) / "python" / backends.STUB
    return StubProgram(program, env, folder, regions)


class LoadWatch:
    """Watches one load, from before it begins, in a server below the process ``supervisor``.

    Close it when the load has ended: the processes that stood in do not end by themselves.
    """

    def __init__(self, supervisor: int, stub: StubProgram) -> None:
        self._supervisor = supervisor
        self._stub = stub
        self._region = re.compile(rf"{re.escape(stub.regions)}[0-9a-f-]+")
        self._known = {process.pid for process in self._children()}
        self._known_regions = set(self._list_regions())
        self._first_seen: dict[str, float] = {}  # of regions, monotonic seconds
        self._region_of: dict[int, str] = {}  # by process
        self._dead: dict[int, float] = {}  # since when, monotonic seconds
        self._stand_ins: list[subprocess.Popen[bytes]] = []
        self._closed = False
        self._lock = threading.Lock()  # a poll may still run in a thread when the load has ended

    def poll(self) -> None:
        """Look for processes that ended unnoticed, and stand in for them. Call it every
        :data:`POLL_S`."""
        now = time.monotonic()
        living, dead = self._look()
        self._dead = {pid: self._dead.get(pid, now) for pid in dead}
        for region in self._list_regions():
            self._first_seen.setdefault(region, now)
        overdue = [pid for pid, since in self._dead.items() if now - since >= UNNOTICED_S]
        if not overdue:
            return
        regions = {self._region_of[pid] for pid in overdue if pid in self._region_of}
        if len(regions) < len(overdue):
            # one that ended before it was ever seen: its region is one that never had a process
            taken = self._known_regions | living | set(self._region_of.values())
            old = {r for r, since in self._first_seen.items() if now - since >= UNNOTICED_S}
            regions |= old - taken
        with self._lock:
            for region in regions if not self._closed else ():
                self._stand_in(region)
        self._known.update(overdue)
        self._known_regions |= regions

    def close(self) -> None:
        """End the processes that stood in; none is started any more."""
        with self._lock:
            self._closed = True
        for process in self._stand_ins:
            process.kill()
            process.wait()

    def _look(self) -> tuple[set[str], list[int]]:
        """Return the regions of living processes, and the new processes that have ended."""
        living, dead = set(), []
        for process in self._children():
            try:
                if process.status() != psutil.STATUS_ZOMBIE:
                    region = self._region.search(" ".join(process.cmdline()))
                    if region:
                        living.add(region[0])
                        self._region_of[process.pid] = region[0]
                elif process.pid not in self._known:
                    dead.append(process.pid)
            except psutil.NoSuchProcess:
                continue
        return living, dead

    def _stand_in(self, region: str) -> None:
        """Start the process that refuses the load in the place of ``region``'s."""
        folder = self._stub.folder / REFUSING
        folder.mkdir(exist_ok=True)
        for name in (UTILITIES, MODEL):
            (folder / name).write_text(REFUSAL, encoding="utf-8")
        (server,) = psutil.Process(self._supervisor).children()
        process = subprocess.Popen(
            [
                str(self._stub.program),
                str(folder / MODEL),
                region,
                "16777216",
                "1048576",
                str(server.pid),
                str(folder),
                IPC_CONTROL,
                REFUSING,
                "DEFAULT",
            ],
            env=dict(self._stub.env),
            cwd=self._stub.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_owner,
        )
        # not waited for here: Triton reads its answer meanwhile
        self._stand_ins.append(process)

    def _children(self) -> list[psutil.Process]:
        """Return the server's own children: its models' processes."""
        try:
            servers = psutil.Process(self._supervisor).children()
            return [child for server in servers for child in server.children()]
        except psutil.NoSuchProcess:
            return []

    def _list_regions(self) -> list[str]:
        return [path.name for path in SHM.glob(f"{self._stub.regions}*")]


@contextmanager
def watching(watch: LoadWatch | None) -> Iterator[None]:
    """Poll ``watch`` in a thread until the block ends."""
    if watch is None:
        yield
        return
    ended = threading.Event()

    def poll() -> None:
        while not ended.wait(POLL_S):
            watch.poll()

    thread = threading.Thread(target=poll, name="slipway-load-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        watch.close()


def _die_with_owner() -> None:
    """Let the kernel end this process with the thread that started it, however that ends."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
