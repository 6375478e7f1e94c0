"""Pack the CPython that runs Slipway as a conda package, for use without a channel."""

from __future__ import annotations

import fnmatch
import hashlib
import io
import json
import os
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conda_package_streaming.create import conda_builder

from slipway.environment import stdlib
from slipway.environment.fallback import elf
from slipway.environment.platforms import OWN_PLATFORM
from slipway.errors import SlipwayError

RECIPE = 1  # raise it whenever the package's content changes for the same CPython
SPEED = 3  # zstd's level: the package is read once or twice, on this machine
LEFT_OUT = (
    *stdlib.DROPPED,
    "__pycache__/*",
    "*/__pycache__/*",
    "dist-packages/*",
    "site-packages/*",
)
FIX = (
    "install CPython {minor} with its shared library: `uv python install {minor}`, or pyenv with"
    " PYTHON_CONFIGURE_OPTS=--enable-shared"
)


@dataclass(frozen=True)
class PythonInstallation:
    """An installed CPython: its folders, and the shared library that Triton's stub links to."""

    prefix: Path
    version: str  # "3.12.1"
    minor: str  # "3.12"
    stdlib: Path
    executable: Path
    library: Path


def find_python(minor: str) -> PythonInstallation:
    """Return the CPython that runs this library, which must have the minor version ``minor``.

    Raises:
        SlipwayError: it has another version, or no shared libpython.
    """
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if running != minor:
        raise SlipwayError(
            f"execution environments need Python {minor}, but Slipway runs on {running}",
            fix=f"run Slipway with Python {minor}",
        )
    # the base of a virtual environment, which has no standard library of its own
    prefix = Path(sys.base_prefix)
    name = f"libpython{minor}.so.1.0"
    folders = [prefix / "lib"]
    for variable in ("LIBDIR", "MULTIARCH"):
        value = sysconfig.get_config_var(variable)
        if value:
            folders.append(folders[-1] / value)
    library = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if library is None:
        raise SlipwayError(
            f"the Python at {prefix} has no {name}, which Triton's stub needs",
            fix=FIX.format(minor=minor),
        )
    return PythonInstallation(
        prefix=prefix,
        version=sys.version.split()[0],
        minor=minor,
        stdlib=Path(sysconfig.get_path("stdlib", vars={"base": str(prefix)})),
        executable=prefix / "bin" / f"python{minor}",
        library=library,
    )


def fingerprint(installation: PythonInstallation) -> str:
    """Return a digest that identifies this CPython, without reading all of it."""
    stat = installation.library.stat()
    parts = [installation.prefix, sys.version, stat.st_size, stat.st_mtime_ns, RECIPE]
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def write_package(installation: PythonInstallation, folder: Path) -> str:
    """Write the conda package ``python`` into ``folder``; return its content's SHA-256."""
    paths = []
    digest = hashlib.sha256()
    # the file name holds the build string, which depends on the content: two passes
    members = sorted(_members(installation))
    for name, data, mode in members:
        digest.update(f"{name}\0{mode}\0{len(data)}\0".encode() + data)
        path = {
            "_path": name,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size_in_bytes": len(data),
        }
        if "/_sysconfigdata" in name:
            path |= {"prefix_placeholder": str(installation.prefix), "file_mode": "text"}
        paths.append(path)
    build = f"h{digest.hexdigest()[:12]}_0"
    index = {
        "name": "python",
        "version": installation.version,
        "build": build,
        "build_number": 0,
        "depends": [],
        "subdir": OWN_PLATFORM,
    }
    info = {"index.json": index, "paths.json": {"paths": paths, "paths_version": 1}}
    stem = f"python-{installation.version}-{build}"
    with conda_builder(stem, folder, compression_level=SPEED) as package:
        for name, value in info.items():
            _add(package, f"info/{name}", json.dumps(value).encode(), 0o644)
        for name, data, mode in members:
            _add(package, name, data, mode)
    return digest.hexdigest()


def _members(installation: PythonInstallation) -> Iterator[tuple[str, bytes, int]]:
    """Yield name in the environment, content and mode of each file."""
    minor = installation.minor
    program = elf.make_relocatable(
        elf.strip_symbols(installation.executable.read_bytes()), b"$ORIGIN/../lib"
    )
    yield f"bin/python{minor}", program, 0o755
    yield f"lib/{installation.library.name}", elf.strip_symbols(
        installation.library.read_bytes()
    ), 0o755
    for folder, folders, files in os.walk(installation.stdlib):
        base = Path(folder).relative_to(installation.stdlib)
        folders[:] = [f for f in folders if not _left_out((base / f).as_posix() + "/")]
        for file in files:
            inside = (base / file).as_posix()
            path = Path(folder, file)
            if _left_out(inside) or not path.is_file():
                continue
            data = path.read_bytes()
            if inside == "site.py":
                # Debian's site.py searches for packages in a folder that only Debian uses
                data = data.replace(b"dist-packages", b"site-packages")
            yield f"lib/python{minor}/{inside}", elf.strip_symbols(data), 0o644


def _left_out(inside: str) -> bool:
    return any(fnmatch.fnmatchcase(inside, pattern) for pattern in LEFT_OUT)


def _add(package: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), mode
    package.addfile(member, io.BytesIO(data))
