"""Sessions at a terminal that a document shows: typed in one shell, and compared."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_MARK = "=== command "


@dataclass(frozen=True)
class Command:
    """A command of a session and what it prints, errors included."""

    text: str
    output: str


def commands(block: str) -> Iterator[Command]:
    """Yield the commands of a ``console`` block, each with the output below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = re.match(r"(?:.*\\\n)*.*\n", part)
        assert lines is not None
        yield Command(lines[0], part[lines.end() :])


def run(
    session: list[Command], folder: Path, environment: Mapping[str, str], timeout_s: float = 120
) -> list[Command]:
    """Type the commands of a session into one shell in ``folder``, and return what they print."""
    lines = [f"echo '{_MARK}{n}'\n{command.text}" for n, command in enumerate(session)]
    # elsewhere: in the folder it would be a file that the reader did not write
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as script:
        script.write("".join(lines))
        script.flush()
        done = subprocess.run(
            ["bash", script.name],
            cwd=folder,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    outputs = re.split(rf"^{_MARK}\d+\n", done.stdout, flags=re.MULTILINE)[1:]
    return [Command(command.text, output) for command, output in zip(session, outputs, strict=True)]


def add_program(folder: Path, name: str, module: str = "") -> None:
    """Write the program ``name`` into ``folder``: this Python, or one of its modules."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    arguments = f" -m {module}" if module else ""
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def mask(text: str, volatile: Mapping[str, str]) -> str:
    """Return ``text`` with each pattern of ``volatile`` replaced by its placeholder."""
    for pattern, placeholder in volatile.items():
        text = re.sub(pattern, placeholder, text, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in text.replace("\r", "").strip().splitlines())
