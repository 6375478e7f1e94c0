"""Find binaries that were compiled for a later numpy than the locked one, whatever they declare.

Since numpy 2.0 its headers put a sentence with the oldest numpy that it runs on into every module
that uses numpy's C API: ``numpy/_core/code_generators/generate_numpy_api.py``, the import check.
"""

from __future__ import annotations

import json
import mmap
import re
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from slipway.environment.locking.remote import open_wheel
from slipway.environment.locking.resolver import DistributionFile, ResolvedPackage, resolve
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir
from slipway.settings import Settings
from slipway.triton.image import numpy_support

COMPILED_FOR = re.compile(rb"compiled against NumPy C-API version 0x%x \(NumPy (\d+\.\d+)\+?\)")
# modules of Python, and libraries between them and others, such as libarrow_python.so
BINARY = re.compile(r"(python|abi3|numpy)[^/]*\.so[\d.]*$")
LARGEST = 64_000_000  # bytes of a binary that is downloaded to look into it
NUMPY_2 = datetime(2024, 6, 16, tzinfo=UTC)  # its release: no older wheel was compiled for it
FIRST_2 = "2.0.0"
STEPS = 40  # versions that are looked at to find the last one that still runs


def refuse_later_numpy(
    packages: Iterable[ResolvedPackage], numpy: str, settings: Settings, *, requirements: Path
) -> None:
    """Refuse packages that need numpy 2, without declaring it, with a locked numpy 1.

    Looks into wheels that use numpy and do not require it. What a package requires, uv has met.

    Raises:
        SlipwayError: the import of a package would fail; names its last version that still runs.
    """
    for package in packages if Version(numpy) < Version("2") else ():
        needed = _undeclared(package.wheel) if package.wheel else None
        if needed is None or Version(needed) <= Version(numpy):
            continue
        last = _last_before(package, Version(numpy), settings, requirements)
        fixes = [f"write {package.name}<={last}, the last version that runs on numpy {numpy}"]
        if not last:
            fixes = [f"remove {package.name}"]
        if numpy_support.limit(FIRST_2, settings.triton_release, settings.test_release) is None:
            fixes.append(f"require numpy>={needed}, which Triton {settings.triton_release} serves")
        raise SlipwayError(
            f"{package.name} {package.version} is compiled for numpy {needed} and later, which it"
            f" does not declare: with the locked numpy {numpy} its import fails",
            where=str(requirements),
            fix="; or ".join(fixes),
        )


def refuse_compiled_for_later(
    prefix: Path, owners: Mapping[str, str], numpy: str, *, requirements: Path
) -> None:
    """Refuse an installation with a binary that was compiled for a later numpy than its own.

    Args:
        prefix: the folder of the installation.
        owners: its binaries' names below ``prefix``, with the packages that they belong to.
        numpy: the installed version.
        requirements: the file that the error names.

    Raises:
        SlipwayError: the import of a package would fail.
    """
    for name, package in sorted(owners.items()):
        path = prefix / name
        if ".so" not in path.name or not path.is_file() or not path.stat().st_size:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            needed = _compiled_for(data)
        if needed is not None and needed > Version(numpy):
            raise SlipwayError(
                f"{path.name} of {package} is compiled for numpy {needed} and later: with numpy"
                f" {numpy} its import fails",
                where=str(requirements),
                fix=f"choose an older version of {package}, or a later numpy",
            )


def _undeclared(wheel: DistributionFile) -> str | None:
    """Return the numpy that a wheel's binaries need; None if it requires numpy or needs none."""
    if wheel.name.endswith("-none-any.whl") or (wheel.uploaded and wheel.uploaded < NUMPY_2):
        return None
    cached = cache_dir("wheel-numpy") / f"{wheel.sha256}.json"
    if cached.is_file():
        value: str | None = json.loads(cached.read_text(encoding="utf-8"))
        return value
    try:
        with open_wheel(wheel) as archive:
            found = None if _requires_numpy(archive) else _needs(archive)
    except OSError:
        return None  # a build looks into what it installs
    needed = str(found) if found else None
    with atomic_write(cached) as sibling:
        sibling.write_text(json.dumps(needed), encoding="utf-8")
    return needed


def _requires_numpy(archive: zipfile.ZipFile) -> bool:
    """Return whether a wheel's metadata requires numpy without an extra."""
    from email.parser import HeaderParser

    names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = HeaderParser().parsestr(archive.read(names[0]).decode("utf-8", "replace"))
    for line in metadata.get_all("Requires-Dist", []):
        requirement = Requirement(line)
        extra = requirement.marker and "extra" in str(requirement.marker)
        if canonicalize_name(requirement.name) == "numpy" and not extra:
            return True
    return False


def _needs(archive: zipfile.ZipFile) -> Version | None:
    """Return the numpy that the binaries of a wheel need, or the first 2.x among them."""
    binaries = {
        member.CRC: member  # of equal files under several names, one
        for member in archive.infolist()
        if BINARY.search(member.filename) and member.file_size < LARGEST
    }
    found = None
    # libraries between Python and others first: they are where packages convert arrays
    for member in sorted(binaries.values(), key=lambda m: ("cpython" in m.filename, m.file_size)):
        needed = _compiled_for(archive.read(member))
        if needed is not None and (found is None or needed > found):
            found = needed
        if found is not None and found.major >= 2:
            break
    return found


def _compiled_for(data: bytes | mmap.mmap) -> Version | None:
    return max((Version(found.decode()) for found in COMPILED_FOR.findall(data)), default=None)


def _last_before(
    package: ResolvedPackage, numpy: Version, settings: Settings, requirements: Path
) -> str | None:
    """Return the last version of a package that runs on ``numpy``: down by majors, then by each."""
    limit, runs = package.version, None
    by_major = True
    for _ in range(STEPS):
        bound = str(Version(limit).major) if by_major else limit
        found = _newest_below(package.name, bound, settings, requirements)
        if found is None or found.wheel is None:
            if not by_major or bound == limit:
                return runs
            by_major = False  # within the first major
            continue
        needed = _undeclared(found.wheel)
        if needed is not None and Version(needed) > numpy:
            limit = found.version
        elif by_major:
            runs, by_major = found.version, False
        else:
            return found.version
    return runs


def _newest_below(
    name: str, limit: str, settings: Settings, requirements: Path
) -> ResolvedPackage | None:
    try:
        found = resolve([f"{name}<{limit}"], settings, where=requirements, dependencies=False)
    except SlipwayError:
        return None
    return found[0]
