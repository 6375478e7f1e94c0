"""The modules that a lock's environment can import, determined without building it."""

from __future__ import annotations

import re
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from slipway.archive.index import load_index
from slipway.environment.environment import (
    METADATA,
    ExecutionEnvironment,
    load_environment,
)
from slipway.environment.pruning.listing import FILE_NAME as PRUNED
from slipway.environment.pruning.listing import lock_digest, read_pruned
from slipway.environment.shared.locked import locked_packages
from slipway.environment.stdlib import DROPPED
from slipway.errors import SlipwayError
from slipway.files import cache_dir
from slipway.settings import Settings
from slipway.unchanged import remembered

# the modules that Python 3.12 removed from the standard library
REMOVED = {"asynchat", "asyncore", "distutils", "imp", "smtpd"}


@cache
def standard_library(python: str) -> frozenset[str]:
    """Return the top-level standard modules that environments of this Python have."""
    names = set(sys.stdlib_module_names)
    if int(python.partition(".")[2]) < 12:
        names |= REMOVED
    return frozenset(name for name in names if not is_left_out(name))


@cache
def is_left_out(name: str) -> bool:
    """Return whether environments lack this standard module (see ``stdlib.DROPPED``)."""
    paths = (f"{name}.py", f"{name}/__init__.py", f"lib-dynload/{name}.so")
    return any(fnmatch(path, pattern) for path in paths for pattern in DROPPED)


def cached_environment(lock: Path, settings: Settings) -> ExecutionEnvironment | None:
    """Return the environment that this machine built from ``lock``, if it is in the cache."""
    return _find_environment(lock, settings.python, settings.platform)


@remembered
def _find_environment(lock: Path, python: str, platform: str) -> ExecutionEnvironment | None:
    if not lock.is_file():
        return None
    digest = lock_digest(lock)
    pruned = lock.with_name(PRUNED)
    try:
        left_out = read_pruned(pruned).digest if pruned.is_file() else None
        shared = {locked.source for locked in locked_packages(lock)}
    except SlipwayError:
        return None  # no environment is built while a package of the repository is malformed
    for environment in _environments(cache_dir("environments")):
        sources = {package.source for package in environment.packages}
        if not shared <= sources:
            continue  # built from other files of the repository's packages
        same_python = environment.python.startswith(f"{python}.")
        if (environment.pruned.digest if environment.pruned else None) != left_out:
            continue
        if environment.lock == digest and environment.platform == platform and same_python:
            return environment
    return None


@remembered
def _environments(cache: Path) -> tuple[ExecutionEnvironment, ...]:
    environments = []
    for metadata in sorted(cache.glob(f"*/{METADATA}")):
        try:
            environments.append(load_environment(metadata.parent))
        except SlipwayError:
            continue  # written by another version of Slipway
    return tuple(environments)


def importable_modules(lock: Path, settings: Settings) -> frozenset[str] | None:
    """Return the top-level modules in the cached environment of ``lock``, if there is one."""
    environment = cached_environment(lock, settings)
    if environment is None:
        return None
    zipped = {module for modules in environment.zipped.values() for module in modules}
    return _modules_in_archive(environment.archive, settings.python) | zipped


@cache
def _modules_in_archive(archive: Path, python: str) -> frozenset[str]:
    site = f"lib/python{python}/site-packages/"
    paths = (member.name for member in load_index(archive).members)
    # strings: as paths, the hundreds of files of one environment take a tenth of a second
    inside = (path.removeprefix(site) for path in paths if path.startswith(site))
    return frozenset(re.split(r"[/.]", path, maxsplit=1)[0] for path in inside if path)
