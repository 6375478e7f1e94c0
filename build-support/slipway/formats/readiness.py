"""How far this machine can isolate conversions, and which of their environments it has."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from slipway.environment.tools import cached_tools
from slipway.formats.sandbox.run import Isolation, Limits, run
from slipway.formats.serving import LOCKS

RUNTIMES = "onnxruntime-"  # of one version each; the newest is in the environment of ONNX


def find_isolation() -> Isolation:
    """Return what isolates a program here; a program that does nothing is run for it.

    Raises:
        SlipwayError: it cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-doctor-") as work:
        argv = [sys.executable, "-I", "-S", "-c", ""]
        ended = run(argv, what="isolating a program", work=Path(work), limits=Limits())
        return ended.isolation


def cached_environments() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the environments that are in the cache, and of those that are not."""
    locks = sorted(lock for lock in LOCKS.glob("*.txt") if not lock.name.startswith(RUNTIMES))
    cached = {lock for lock in locks if cached_tools(lock).folder.is_dir()}
    return (
        tuple(lock.stem for lock in locks if lock in cached),
        tuple(lock.stem for lock in locks if lock not in cached),
    )
