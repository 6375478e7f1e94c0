"""What a lock's environment can import, told without building it."""

from __future__ import annotations

import hashlib
import json
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path, PurePosixPath

from slipway.archive import INDEX
from slipway.environment.environment import ARCHIVE, NOTE, Environment, load
from slipway.environment.lock import content
from slipway.environment.stdlib import DROPPED
from slipway.errors import SlipwayError
from slipway.files import cache_dir
from slipway.settings import Settings

# the standard library's modules that Python 3.12 has lost, and the version that lost others
REMOVED = {"asynchat", "asyncore", "distutils", "imp", "smtpd"}


@cache
def standard_library(python: str) -> frozenset[str]:
    """The top-level modules of the standard library that environments of this Python have."""
    names = set(sys.stdlib_module_names)
    if int(python.partition(".")[2]) < 12:
        names |= REMOVED
    return frozenset(name for name in names if not left_out(name))


@cache
def left_out(name: str) -> bool:
    """Whether environments lack this module of the standard library (see ``stdlib.DROPPED``)."""
    places = (f"{name}.py", f"{name}/__init__.py", f"lib-dynload/{name}.so")
    return any(fnmatch(place, pattern) for place in places for pattern in DROPPED)


def built(lock: Path, settings: Settings) -> Environment | None:
    """The environment that this machine has built of ``lock``, if it is still in the cache."""
    if not lock.is_file():
        return None
    digest = hashlib.sha256(content(lock).encode()).hexdigest()
    for note in sorted(cache_dir("environments").glob(f"*/{NOTE}")):
        try:
            made = load(note.parent)
        except SlipwayError:
            continue  # of another version of Slipway
        same_python = made.python.startswith(f"{settings.python}.")
        if made.lock == digest and made.platform == settings.platform and same_python:
            return made
    return None


def modules(lock: Path, settings: Settings) -> frozenset[str] | None:
    """The top-level modules in the environment that was :func:`built` of ``lock``."""
    made = built(lock, settings)
    return _modules(made.folder / (ARCHIVE + INDEX), settings.python) if made else None


@cache
def _modules(index: Path, python: str) -> frozenset[str]:
    site = PurePosixPath(f"lib/python{python}/site-packages")
    members = json.loads(index.read_bytes())["members"]
    paths = (PurePosixPath(member[0]) for member in members)
    return frozenset(
        path.relative_to(site).parts[0].partition(".")[0]
        for path in paths
        if path.is_relative_to(site) and len(path.parts) > len(site.parts)
    )
