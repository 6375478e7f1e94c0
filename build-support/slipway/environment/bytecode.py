"""Bytecode that is checked against nothing at import, and equal wherever it is compiled.

How CPython serialises a code object depends on what else the process has interned and still refers
to, and the order of a set's constants on the hash seed. So every file is compiled in a fork of one
pristine process with a fixed seed: its bytes depend neither on the order nor on the company.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from slipway import process

WORKER = Path(__file__).with_name("compile_worker.py")
WORKERS = 2


@dataclass(frozen=True)
class Source:
    """``path`` compiles to ``target``; tracebacks call it ``name``."""

    path: Path
    name: str
    target: Path


def compile_all(sources: Sequence[Source], *, workers: int = WORKERS) -> None:
    """Write each source's ``.pyc``, for the minor version of Python that runs this.

    A source that is not valid Python (a template, a test's bad example) gets none.
    """
    for folder in {source.target.parent for source in sources}:
        folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(_work, sources[at::workers]) for at in range(workers)]:
            done.result()


def _work(sources: Sequence[Source]) -> None:
    request = [[str(s.path), s.name, str(s.target)] for s in sources]
    process.run(
        [sys.executable, "-S", "-s", "-P", WORKER],
        what="compiling the environment's Python files",
        env={"PYTHONHASHSEED": "0"},
        stdin=json.dumps(request),
    )
