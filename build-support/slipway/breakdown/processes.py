"""The processor time of a server's processes, by the model that they run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

SERVER = ""
"""The server's own process, in which native backends run as well."""
STUB = "triton_python_backend_stub"


def processor_seconds(supervisor: int, models: Iterable[str]) -> Mapping[str, float]:
    """Return the seconds that each process below ``supervisor`` has used, by the model it runs.

    Triton starts one process for each instance of a Python-based model, with the path of its code
    as an argument (python_backend, src/stub_launcher.cc). All others are the server's. Linux counts
    in hundredths of a second: hundreds of requests are needed.
    """
    names = set(models)
    used: dict[str, float] = {SERVER: 0.0}
    for process in psutil.Process(supervisor).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            owner = _model_of(process.cmdline(), names)
            times = process.cpu_times()  # of threads that have ended as well
            used[owner] = used.get(owner, 0.0) + times.user + times.system
    return used


def _model_of(words: list[str], names: set[str]) -> str:
    if not words or Path(words[0]).name != STUB:
        return SERVER
    parts = [part for word in words[1:] for part in Path(word).parts]
    return next((part for part in parts if part in names), SERVER)
