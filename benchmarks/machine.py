"""Describe the machine on which the figures were measured."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from slipway.server import source
from slipway.settings import Settings

LIBRARIES = ("onnxruntime", "numpy", "pillow", "fastapi", "uvicorn", "bentoml", "conda-pack")


def describe_machine(settings: Settings) -> list[str]:
    """Return one line each for processor, system, server and versions."""
    cores = len(os.sched_getaffinity(0))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"{cores} cores, {_processor()}; load average {load}",
        f"Linux {platform.release()}, Python {platform.python_version()}",
        str(source.find_server(settings)),
        ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
