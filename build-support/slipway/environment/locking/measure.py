"""Measure the wheels of resolved packages.

The directory at the end of a wheel says so; of a wheel on an index only that part is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from slipway.environment.locking.remote import open_wheel, size_of
from slipway.environment.locking.resolver import DistributionFile, ResolvedPackage
from slipway.environment.locking.sizes import WheelSize
from slipway.files import atomic_write, cache_dir

REQUESTS = 8  # at a time


def measure(packages: Iterable[ResolvedPackage]) -> dict[str, WheelSize]:
    """Return the sizes of the packages' wheels by name, without those that cannot be asked for."""
    wheels = {package.name: package.wheel for package in packages if package.wheel}
    with ThreadPoolExecutor(REQUESTS) as pool:
        sizes = zip(wheels, pool.map(_measure, wheels.values()), strict=True)
        return {name: size for name, size in sizes if size}


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
