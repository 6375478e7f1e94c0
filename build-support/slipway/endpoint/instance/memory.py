"""Measure how much memory each loaded model takes: that of its own processes.

A model of the Python backend runs in processes that name its folder in their command line
(stub_launcher.cc). What a native backend allocates inside the server's process counts as the
server's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


def model_memory(supervisor: int, folder: Path) -> int:
    """Return the memory of one folder's model: the proportional set size of its processes, in
    bytes."""
    processes = _processes(supervisor)
    return sum(_size(process) for process, command in processes if f"{folder}/" in command)


@dataclass(frozen=True)
class Usage:
    """Proportional set sizes in bytes: of each artifact folder's processes, by the folder's name,
    and of the server with every process below it. ``processes`` counts those of each folder."""

    folders: Mapping[str, int]
    processes: Mapping[str, int]
    total: int


def measure(supervisor: int, models: Path) -> Usage:
    """Return what the server and the artifacts below the folder ``models`` take."""
    sizes: Counter[str] = Counter()
    processes: Counter[str] = Counter()
    total = 0
    folder = re.compile(rf"{re.escape(str(models))}/([^/ ]+)/")
    for process, command in _processes(supervisor):
        size = _size(process)
        total += size
        for name in set(folder.findall(command)):
            sizes[name] += size
            processes[name] += 1
    return Usage(sizes, processes, total)


def has_processes(supervisor: int, folder: Path) -> bool:
    """Return whether a model still has processes."""
    return any(f"{folder}/" in command for _, command in _processes(supervisor))


def kill_processes(supervisor: int, folder: Path) -> None:
    """Kill the processes of one folder's model."""
    for process, command in _processes(supervisor):
        if f"{folder}/" in command:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _processes(supervisor: int) -> list[tuple[psutil.Process, str]]:
    try:
        descendants = psutil.Process(supervisor).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    processes = []
    for process in descendants:
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                processes.append((process, " ".join(process.cmdline())))
        except psutil.NoSuchProcess:
            continue
    return processes


def _size(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
