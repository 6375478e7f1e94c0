"""Note what a process of Python imports and opens; a ``.pth`` file starts it in every process.

``start`` gets the file for the notes.
Each note is one write to the end of the file: a server may kill its processes at any time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


class _Names:
    """A finder that finds nothing and notes what was searched for."""

    def __init__(self, note: Callable[[str, object], None]) -> None:
        self._note = note

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Note the name of a module; others find it."""
        self._note("module", name)


def start(log: str) -> None:
    """Begin to append lines to ``log``: ``module NAME`` and ``file PATH``."""
    notes = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    seen: set[str] = set()

    def note(kind: str, name: object) -> None:
        if isinstance(name, bytes):
            name = os.fsdecode(name)
        line = f"{kind} {name}\n"
        if isinstance(name, str) and line not in seen:
            seen.add(line)
            os.write(notes, line.encode(errors="surrogateescape"))

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("open", "ctypes.dlopen"):
            note("file", arguments[0])
        elif event == "import":
            note("module", arguments[0])
            note("file", arguments[1])

    for name in tuple(sys.modules):
        note("module", name)
    sys.meta_path.insert(0, _Names(note))
    sys.addaudithook(hook)
