"""How large the packages of a lock are: their wheels, and what these extract to.

The directory at the end of a wheel says so; of a wheel on an index only that part is downloaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from slipway.environment.locking.remote import open_wheel, size_of
from slipway.environment.locking.resolver import DistributionFile, ResolvedPackage
from slipway.files import atomic_write, cache_dir

REQUESTS = 8  # at a time
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


def measure(packages: Iterable[ResolvedPackage]) -> dict[str, WheelSize]:
    """Return the sizes of the packages' wheels by name, without those that cannot be asked for."""
    wheels = {package.name: package.wheel for package in packages if package.wheel}
    with ThreadPoolExecutor(REQUESTS) as pool:
        sizes = zip(wheels, pool.map(_measure, wheels.values()), strict=True)
        return {name: size for name, size in sizes if size}


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
    text = lock.read_text(encoding="utf-8", errors="replace") if lock.is_file() else ""
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


def _measure(file: DistributionFile) -> WheelSize | None:
    """Return the sizes of a wheel, from the cache or from the file; None if it is not reached."""
    cached = cache_dir("wheel-sizes") / f"{file.sha256}.json"
    if cached.is_file():
        return WheelSize(**json.loads(cached.read_text(encoding="utf-8")))
    try:
        with open_wheel(file) as wheel:
            members, size = wheel.infolist(), size_of(file, wheel)
    except OSError:
        return WheelSize(file.size) if file.size else None
    measured = WheelSize(size, sum(member.file_size for member in members), len(members))
    with atomic_write(cached) as sibling:
        sibling.write_text(json.dumps(asdict(measured)), encoding="utf-8")
    return measured
