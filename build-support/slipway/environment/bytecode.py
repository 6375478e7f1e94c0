"""Compile unchecked bytecode that is identical on every machine.

How CPython serialises a code object depends on the strings that the process has interned. The order
of a set's constants depends on the hash seed. So the files of one folder are compiled, in order, in
a fork of a pristine process with a fixed seed: their bytes depend on that folder only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from slipway import process

WORKER = Path(__file__).with_name("compile_worker.py")
WORKERS = 2
LOADER_PATH = "LD_LIBRARY_PATH"  # the only variable that a moved Python may need


@dataclass(frozen=True)
class SourceFile:
    """``path`` compiles to ``target``; tracebacks show it as ``name``."""

    path: Path
    name: str
    target: Path


def compile_all(sources: Sequence[SourceFile], *, workers: int = WORKERS) -> None:
    """Write each source's ``.pyc``, for the minor version of Python that runs this.

    A source that is not valid Python (a template, a test's bad example) gets no ``.pyc``.
    """
    groups: dict[str, list[SourceFile]] = {}
    for source in sorted(sources, key=lambda source: source.name):
        groups.setdefault(source.name.rpartition("/")[0], []).append(source)
        source.target.parent.mkdir(parents=True, exist_ok=True)
    # the largest first, distributed in turn, so that the workers get about equal work
    shares = sorted(groups.values(), key=len, reverse=True)
    with ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(_work, shares[at::workers]) for at in range(workers)]:
            future.result()


def _work(groups: Sequence[Sequence[SourceFile]]) -> None:
    request = [[[str(s.path), s.name, str(s.target)] for s in group] for group in groups]
    process.run(
        [sys.executable, "-S", "-s", "-P", WORKER],
        what="compiling the environment's Python files",
        env={"PYTHONHASHSEED": "0", **{k: v for k, v in os.environ.items() if k == LOADER_PATH}},
        stdin=json.dumps(request),
    )
