"""An environment in which every process of Python notes what it imports and opens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from slipway.archive.segment import FAST
from slipway.archive.writer import TarGzWriter, write_indexed
from slipway.environment.environment import ARCHIVE, ExecutionEnvironment, save_environment
from slipway.files import sha256_of

HOOK = Path(__file__).with_name("trace_hook.py")
PTH = "_slipway_trace.pth"
# its module is not in the environment: the first process would write its bytecode there
LINE = "import os; hook = {{}}; exec(open({hook!r}).read(), hook); hook['start']({log!r})\n"


@dataclass(frozen=True)
class Trace:
    """The modules that were searched for, and the files that were opened, by their names."""

    modules: frozenset[str]
    files: frozenset[str]


def with_trace(environment: ExecutionEnvironment, folder: Path, log: Path) -> ExecutionEnvironment:
    """Return a copy of ``environment`` in ``folder`` whose processes append their notes to ``log``.

    It is for one run of tests: nothing of it is kept in the cache.
    """
    minor = ".".join(environment.python.split(".")[:2])
    site = f"lib/python{minor}/site-packages/"
    line = LINE.format(hook=str(HOOK), log=str(log)).encode()
    archive = folder / ARCHIVE
    with archive.open("wb") as out, TarGzWriter(out, level=FAST) as writer:
        writer.add_members(environment.archive, "")
        writer.add_bytes(f"{site}{PTH}", line)
    write_indexed(archive, writer)
    traced = replace(
        environment,
        folder=folder,
        sha256=sha256_of(archive),
        size=archive.stat().st_size,
        unpacked=environment.unpacked + len(line),
        files=environment.files + 1,
    )
    save_environment(traced)
    return traced


def read_trace(log: Path) -> Trace:
    """Read the notes of all processes of one run."""
    notes: dict[str, set[str]] = {"module": set(), "file": set()}
    for line in log.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        kind, _, name = line.partition(" ")
        if kind in notes:
            notes[kind].add(name)
    return Trace(frozenset(notes["module"]), frozenset(notes["file"]))
