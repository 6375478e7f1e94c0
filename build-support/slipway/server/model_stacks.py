"""Ask the processes of a loaded model where their Python code is.

The prepared Python backend lets each process write its threads' stacks to the server's log when it
gets :data:`SIGNAL` (``faulthandler`` in ``server/backend_files.py``). Nothing else is signalled: a
process that does not catch it would end.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from slipway.server.model_frames import HEADING

SIGNAL = signal.SIGUSR2
# until a process has written; where Python holds its lock in C, it writes nevertheless
WRITTEN_S, POLL_S = 10.0, 0.1
EXECUTE = "execute"
# of a thread, in faulthandler's output
THREAD = re.compile(r"^(?:Current thread|Thread) 0x[0-9a-f]+.*\(most recent call first\):$")
FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>.+)$')


@dataclass(frozen=True)
class ModelStack:
    """Where the Python code of ``model`` is: its frames, innermost first, as ``file(line): name``.

    Without frames it runs none: it waits for Triton.
    """

    model: str
    frames: tuple[str, ...]

    @property
    def executes(self) -> bool:
        """Return whether a call of ``execute`` has not returned."""
        return any(frame.endswith(f": {EXECUTE}") for frame in self.frames)

    def __str__(self) -> str:
        """Return the frames as the Python backend writes a traceback."""
        return "\n".join([HEADING, *(f"  {frame}" for frame in self.frames)])


def read_stacks(supervisor: int, folder: Path, log: Path) -> list[ModelStack]:
    """Return the stacks of the model repository ``folder``, loaded in a server below ``supervisor``
    that writes to ``log``; empty where its processes cannot be asked."""
    stacks = []
    for process, model in _model_processes(supervisor, folder):
        if _catches_signal(process):
            text = _ask(process, log)
            stacks.append(ModelStack(model, _frames(text, folder)))
    return stacks


def _model_processes(supervisor: int, folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Yield the processes that serve models of ``folder``, with their names."""
    try:
        processes = psutil.Process(supervisor).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for process in processes:
        try:
            # the stub's first argument is the model's file
            _, file, *_ = (*process.cmdline(), "", "")
        except psutil.Error:
            continue
        if file.startswith(f"{folder}/"):
            yield process, Path(file).relative_to(folder).parts[0]


def _catches_signal(process: psutil.Process) -> bool:
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (SIGNAL - 1) & 1)


def _ask(process: psutil.Process, log: Path) -> str:
    """Return what the process writes to ``log`` about its threads; empty if it does not answer."""
    since = log.stat().st_size
    try:
        process.send_signal(SIGNAL)
    except psutil.Error:
        return ""
    text, deadline = "", time.monotonic() + WRITTEN_S
    while time.monotonic() < deadline:
        time.sleep(POLL_S)
        with log.open("rb") as file:
            file.seek(since)
            earlier, text = text, file.read().decode(errors="replace")
        # it writes a stack in one go: no more comes when two looks are alike
        if text == earlier and any(THREAD.match(line) for line in text.splitlines()):
            break
    return text


def _frames(text: str, folder: Path) -> tuple[str, ...]:
    """Return the frames of the thread that runs the model's ``execute``, else of one in a file of
    ``folder``."""
    threads: list[list[str]] = []
    own: list[list[str]] = []
    for line in text.splitlines():
        if THREAD.match(line):
            threads.append([])
        frame = FRAME.match(line)
        if frame is None or not threads:
            continue
        threads[-1].append(f"{frame['file']}({frame['line']}): {frame['function']}")
        if frame["file"].startswith(f"{folder}/") and threads[-1] not in own:
            own.append(threads[-1])
    executing = [thread for thread in threads if thread and thread[-1].endswith(f": {EXECUTE}")]
    return tuple(next(iter([*executing, *own]), ()))
