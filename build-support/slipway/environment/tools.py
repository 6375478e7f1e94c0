"""Virtual environments of programs that are no part of the library, each of a lock with hashes.

They are made once per content of the lock, and kept in the cache. Their files are hard links into
uv's cache where both are on one file system.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.cache import mark_used, trim_above_limit
from slipway.environment.packages import find_links, uv_program
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked

KIND = "tools"  # of the cache
MISMATCH = re.compile(r"Hash mismatch for `([^`]+)`")


@dataclass(frozen=True)
class Tools:
    """An environment in the cache. Nothing writes to it once it is there."""

    folder: Path

    @property
    def python(self) -> Path:
        """Return its Python, of the version that runs the library."""
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Return the folder of its packages."""
        minor = f"{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / f"python{minor}" / "site-packages"


def provide_tools(lock: Path, wheels: Iterable[Path] = ()) -> Tools:
    """Return the environment that has exactly the packages of ``lock``, cached or made.

    ``wheels`` are those of the lock that no index has: they were built here, from source. Only
    wheels are installed: no code of a package runs. Safe when several processes ask at once.

    Raises:
        SlipwayError: the index is out of reach, or has no such wheel for this Python; a file is
            not the locked one; a line of the lock has no hash.
    """
    tools = cached_tools(lock)
    if not tools.folder.is_dir():
        with locked(tools.folder.with_name(f"{tools.folder.name}.guard")):
            if not tools.folder.is_dir():
                with atomic_write(tools.folder) as sibling:
                    _install(lock, sibling, find_links(wheel.parent for wheel in wheels))
                trim_above_limit()
    mark_used(tools.folder)
    return tools


def cached_tools(lock: Path) -> Tools:
    """Return where the environment of ``lock`` is, or will be."""
    # a virtual environment links to the Python that made it
    parts = [lock.read_bytes(), sys.version.encode(), sys.base_prefix.encode()]
    return Tools(cache_dir(KIND) / hashlib.sha256(b"\0".join(parts)).hexdigest()[:32])


def _install(lock: Path, folder: Path, variables: Mapping[str, str]) -> None:
    base = ["venv", "--quiet", "--no-project", "--relocatable", "--python", sys.executable]
    what = f"installing {lock.name}"
    uv_program([*base, folder], what=what)
    argv: list[str | Path] = [
        *("pip", "sync", "--quiet", "--python", folder / "bin" / "python"),
        # compiled now: what runs in it may not write to it
        *("--require-hashes", "--only-binary", ":all:", "--compile-bytecode", lock),
    ]
    try:
        uv_program(argv, what=what, variables=variables)
    except SlipwayError as error:
        mismatch = MISMATCH.search(error.what)
        what = f"{mismatch[1]} on the index is not the locked file" if mismatch else error.what
        fix = (
            "find out why it changed" if mismatch else "reach the package index, then run it again"
        )
        raise SlipwayError(what, where=str(lock), fix=fix) from error
