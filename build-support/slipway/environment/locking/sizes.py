"""The sizes of a lock's packages, as comments in it: their wheels, and what these extract to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from slipway.unchanged import read_text

LINE = re.compile(
    r"# slipway: (?P<name>\S+) has (?P<wheel>\d+) bytes"
    r"(?:, (?P<unpacked>\d+) unpacked in (?P<files>\d+) files)?$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class WheelSize:
    """Bytes of a wheel, bytes and number of the files in it; None where its index does not say."""

    wheel: int
    unpacked: int | None = None
    files: int | None = None


def comments(sizes: dict[str, WheelSize]) -> str:
    """Return the lines of a lock that hold ``sizes``."""
    lines = []
    for name, size in sorted(sizes.items()):
        line = f"# slipway: {name} has {size.wheel} bytes"
        if size.unpacked is not None:
            line += f", {size.unpacked} unpacked in {size.files} files"
        lines.append(f"{line}\n")
    return "".join(lines)


def read_sizes(lock: Path) -> dict[str, WheelSize]:
    """Return the sizes of a lock's packages by name; empty if an older Slipway wrote it."""
    text = read_text(lock) if lock.is_file() else ""
    return {
        found["name"]: WheelSize(
            int(found["wheel"]),
            int(found["unpacked"]) if found["unpacked"] else None,
            int(found["files"]) if found["files"] else None,
        )
        for found in LINE.finditer(text)
    }


def without_sizes(text: str) -> str:
    """Return the text of a lock without the lines of its sizes."""
    return re.sub(LINE.pattern + r"\n?", "", text, flags=re.MULTILINE)
