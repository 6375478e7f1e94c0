"""Measure how much memory each loaded model takes: that of its own processes.

A model of the Python backend runs in processes that name its folder in their command line
(stub_launcher.cc). What a native backend allocates inside the server's process counts as the
server's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil


def model_memory(supervisor: int, folder: Path) -> int:
    """Return the memory of one folder's model: the proportional set size of its processes, in
    bytes."""
    processes = _processes(supervisor)
    return sum(_size(process) for process, command in processes if f"{folder}/" in command)


def measure(supervisor: int, folders: Mapping[str, Path]) -> tuple[dict[str, int], int]:
    """Return proportional set sizes in bytes: by target, of the processes of its folder's model,
    and of the server with every process below it."""
    by_target, total = dict.fromkeys(folders, 0), 0
    for process, command in _processes(supervisor):
        size = _size(process)
        total += size
        for target, folder in folders.items():
            if f"{folder}/" in command:
                by_target[target] += size
    return by_target, total


def has_processes(supervisor: int, folder: Path) -> bool:
    """Return whether a model still has processes."""
    return any(f"{folder}/" in command for _, command in _processes(supervisor))


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
