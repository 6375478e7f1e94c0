"""Read the traceback in an error of the Python backend, and show it as editors link it.

The backend writes the innermost call first (python_be.cc): ``  /tmp/…/1/model.py(20): execute``.
"""

from __future__ import annotations

import re
from pathlib import Path

from slipway.server.stalled_load import REFUSING

HEADING = "At:"
FRAME = re.compile(r"^  (?P<file>\S+?)\((?P<line>\d+)\): (?P<function>.+)$", re.MULTILINE)
# a file of a version directory, from the model repository and from the root of the checkout
MODEL_FRAME = re.compile(r"^(?P<indent> +)(?P<place>[^/\s]+/\d+/\S+:\d+): in ", re.MULTILINE)
SHOWN_FRAME = re.compile(r"^ +(?P<place>\S+/\d+/\S+:\d+): in ", re.MULTILINE)
# the import system, and the process that refuses a load in another one's place
FOREIGN = re.compile(rf"^<frozen importlib|/{REFUSING}/")
PACKAGES = re.compile(r".*/(?:site|dist)-packages/|.*/lib/python3\.\d+/")


def readable_lines(text: str, folder: Path) -> list[str]:
    """Return the lines of ``text`` with its frames as ``file:line: in function``.

    Each frame of the model repository ``folder``, from which paths are relative, is followed by its
    line of code. Foreign frames are left out, and packages begin with their name.
    """
    lines: list[str] = []
    for line in text.splitlines():
        frame = FRAME.match(line)
        if frame is None:
            lines += [line] if line.strip() and line != HEADING else []
        elif not FOREIGN.search(frame["file"]):
            name = PACKAGES.sub("", frame["file"])
            lines.append(f"  {name}:{frame['line']}: in {frame['function']}")
            if name == frame["file"]:
                lines += _code(folder / name, int(frame["line"]))
    return lines


def readable_error(message: str, hashed: str, folder: Path, shown: str = "") -> str:
    """Return an invocation's error with its traceback as :func:`readable_lines` shows it.

    ``folder`` is the extracted model repository, in the directory ``hashed`` of all of them, by
    whatever path the server sees that. Its files are shown below ``shown``, such as
    ``models/NAME``, or from the model repository on.
    """
    extracted = re.compile(rf"/[^\s'\"()]*/{re.escape(hashed)}/model/")
    reason, heading, frames = message.partition(f"\n{HEADING}\n")
    lines = [extracted.sub(f"{shown}/" if shown else "", reason.strip())]
    if heading:
        lines += readable_lines(extracted.sub("", frames), folder)
    text = "\n".join(lines)
    return show_below(shown, text) if shown else text


def show_below(shown: str, text: str) -> str:
    """Return readable lines whose frames in model directories begin with ``shown``."""
    return MODEL_FRAME.sub(rf"\g<indent>{shown}/\g<place>: in ", text)


def innermost_place(text: str) -> str | None:
    """Return ``file:line`` of the innermost frame in a model directory; ``None`` without one."""
    frame = SHOWN_FRAME.search(text)
    return None if frame is None else frame["place"]


def _code(file: Path, number: int) -> list[str]:
    """Return the line of code, indented; none if the file is not there."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        return [f"      {lines[number - 1].strip()}"]
    except (OSError, IndexError):
        return []
