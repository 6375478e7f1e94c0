"""How much memory each loaded model takes: that of its own processes.

A model of the Python backend runs in processes that name its folder in their command line
(stub_launcher.cc). What a native backend takes inside the server's process cannot be told apart
and counts as the server's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil


def of_model(supervisor: int, folder: Path) -> int:
    """Bytes of memory, as the proportional set size, of the processes of one folder's model."""
    found = _processes(supervisor)
    return sum(_size(process) for process, command in found if f"{folder}/" in command)


def taken(supervisor: int, folders: Mapping[str, Path]) -> tuple[dict[str, int], int]:
    """Bytes of memory, as the proportional set size of processes: of each target's, whose folders
    are given, and of the server and every process below it."""
    of_target, of_all = dict.fromkeys(folders, 0), 0
    for process, command in _processes(supervisor):
        size = _size(process)
        of_all += size
        for target, folder in folders.items():
            if f"{folder}/" in command:
                of_target[target] += size
    return of_target, of_all


def has_processes(supervisor: int, folder: Path) -> bool:
    """Whether a model has processes still."""
    return any(f"{folder}/" in command for _, command in _processes(supervisor))


def _processes(supervisor: int) -> list[tuple[psutil.Process, str]]:
    try:
        found = psutil.Process(supervisor).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    processes = []
    for process in found:
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
