"""Build an execution environment from a lock, once per content on a machine."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from slipway.cache import mark_used, trim_above_limit
from slipway.environment import canonical, interpreter
from slipway.environment.assemble import assemble
from slipway.environment.environment import ExecutionEnvironment, load_environment
from slipway.environment.libraries.image import serving_image
from slipway.environment.libraries.inventory import FORMAT as LIBRARIES_FORMAT
from slipway.environment.libraries.inventory import load_inventory
from slipway.environment.libraries.missing import refuse_missing_libraries
from slipway.environment.lock import check_lock, lock_content, refuse_unservable
from slipway.environment.platforms import uv_platform
from slipway.environment.pruning.listing import Pruned, load_pruned
from slipway.environment.shared.locked import locked_packages
from slipway.environment.stub_python import refuse_python
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked
from slipway.settings import FILE_NAME as SETTINGS
from slipway.settings import Settings


def build_environment(
    lock: Path, settings: Settings, *, platform: str | None = None, with_pruned: bool = True
) -> ExecutionEnvironment:
    """Return the execution environment of ``lock``, cached or built.

    Nothing of it is executed, but for packages that might go into a zip: whether they can be
    imported from one is tried, see ``zipped.tried``.

    Args:
        lock: a ``requirements.lock``; the ``requirements.txt`` next to it must be the locked one.
        platform: conda's name; the configured one if None.
        with_pruned: leave out what the ``pruned.txt`` next to it lists, if there is one.

    Raises:
        SlipwayError: see ``lock.check_lock`` and ``lock.refuse_unservable``; the Python minor
            version is not that of the configured Triton's stub, or is not available; a package
            cannot be installed or overwrites another's files; a file needs a library that
            neither the environment nor the serving image has (``refuse_missing_libraries``).
    """
    platform = platform or settings.platform
    uv_platform(platform)
    refuse_python(settings)
    _refuse_running_python(settings)
    requirements = lock.with_name("requirements.txt")
    check_lock(requirements, lock)
    refuse_unservable(lock, settings)
    python_source = interpreter.choose_interpreter(settings, platform)
    pruned = load_pruned(lock) if with_pruned else None
    key = _key(lock, settings, platform, python_source, pruned)
    folder = cache_dir("environments") / key
    if not folder.is_dir():
        with locked(folder.with_name(f"{key}.guard")):
            if not folder.is_dir():
                with atomic_write(folder) as sibling:
                    sibling.mkdir()
                    assemble(lock, settings, platform, python_source, pruned, sibling)
                trim_above_limit()
    mark_used(folder)
    image = serving_image(settings.triton_release)
    refuse_missing_libraries(load_inventory(folder), image, where=str(requirements))
    return load_environment(folder)


def _key(
    lock: Path,
    settings: Settings,
    platform: str,
    python_source: interpreter.Interpreter,
    pruned: Pruned | None,
) -> str:
    parts = [
        lock_content(lock),
        *(locked.source for locked in locked_packages(lock)),
        settings.python,
        platform,
        python_source.identity,
        sys.version.split()[0],  # of the Python that compiles the bytecode
        str(canonical.FORMAT),
        str(LIBRARIES_FORMAT),
        f"zip {settings.zip_packages} {' '.join(sorted(settings.unzipped))}",
        pruned.digest if pruned else "",
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _refuse_running_python(settings: Settings) -> None:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if running != settings.python:
        raise SlipwayError(
            f"only Python {settings.python} can compile the bytecode of this environment, but"
            f" Slipway runs on {running}",
            where=str(settings.root / SETTINGS),
            fix=f"run Slipway with Python {settings.python}",
        )
