"""The resources of an endpoint's process: memory, disk, shared memory, processes, files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Held:
    """``memory`` of the endpoint's own process, ``disk`` of extracted models and ``shared`` memory
    in bytes, how many ``processes`` below it and open ``files`` of its own."""

    memory: int
    disk: int
    shared: int
    processes: int
    files: int


def held(endpoint: int, temporary: Path) -> Held:
    """What the process ``endpoint`` holds, whose temporary files lie in ``temporary``."""
    ours = f"slipway_s{endpoint:x}n"
    shared = sum(_size(path) for path in Path("/dev/shm").glob(f"{ours}*"))
    disk = sum(_size(path) for path in temporary.rglob("*"))
    try:
        process = psutil.Process(endpoint)
        memory, files = process.memory_full_info().uss, process.num_fds()
        processes = len(process.children(recursive=True))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        memory, files = 0, 0
        processes = len(_workers(temporary))
    return Held(memory, disk, shared, processes, files)


def servers(below: list[psutil.Process]) -> list[psutil.Process]:
    """The tritonservers among processes, of which each may end meanwhile."""
    found = []
    for process in below:
        with suppress(psutil.NoSuchProcess):
            if process.name() == "tritonserver":
                found.append(process)
    return found


def commands(processes: list[psutil.Process]) -> list[str]:
    """The command lines of processes, without those that end meanwhile."""
    lines = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            lines.append(" ".join(process.cmdline()))
    return lines


def _workers(temporary: Path) -> list[int]:
    """Servers, stubs and supervisors that work in ``temporary``."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if str(temporary) in words or process.environ().get("TMPDIR", "").startswith(
                str(temporary)
            ):
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512 if path.is_file() else 0
    except OSError:
        return 0
