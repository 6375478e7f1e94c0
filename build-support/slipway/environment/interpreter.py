"""The environment's Python: from the channels in ``slipway.toml``, else this machine's own."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway import process
from slipway.environment.fallback import cpython
from slipway.environment.platforms import OWN_PLATFORM
from slipway.errors import SlipwayError
from slipway.files import cache_dir, locked, sha256_of, written_aside
from slipway.settings import Settings

LOCK_NAME = "interpreter.lock"
WORKER = Path(__file__).with_name("conda_worker.py")
# what packages may ask of the system that serves; the glibc is that of platforms.UV_PLATFORMS
VIRTUAL_PACKAGES = {"__unix": "0", "__linux": "5.10", "__glibc": "2.28"}
UNREACHABLE_FOR = 600.0  # seconds in which an unreachable channel is not asked again


class Unreachable(SlipwayError):
    """No network between here and a channel; whether it has what is asked for is not known."""


@dataclass(frozen=True)
class Interpreter:
    """A Python and what it needs, as conda packages."""

    lock: Path  # in rattler's lock format
    local: bool  # made of this machine's own CPython
    identity: str  # equal for equal content


@dataclass(frozen=True)
class CondaPackage:
    name: str
    version: str
    channel: str
    file: str


def choose(settings: Settings, platform: str) -> Interpreter:
    """What ``interpreter.lock`` pins, else the channels' Python, else the machine's own CPython.

    What the channels gave is remembered on this machine until ``slipway lock`` asks again. The
    machine's own serves where there is no channel, or none can be reached.

    Raises:
        SlipwayError: the channels have no Python of the configured minor version for ``platform``,
            or cannot be reached and this machine is another platform.
    """
    pinned = settings.root / LOCK_NAME
    if pinned.is_file():
        return Interpreter(pinned, local=False, identity=sha256_of(pinned))
    if settings.channels:
        try:
            lock = _remembered(settings, platform)
            return Interpreter(lock, local=False, identity=sha256_of(lock))
        except Unreachable:
            if platform != OWN_PLATFORM:
                raise
    elif platform != OWN_PLATFORM:
        raise SlipwayError(
            f"no channel to take a Python for {platform} from; this machine's own is {OWN_PLATFORM}",
            fix='name one in slipway.toml: [environment] channels = ["conda-forge"]',
        )
    return _local(settings.python)


def pin(settings: Settings) -> Path | None:
    """Write ``interpreter.lock`` at the repository's root; None where no channel is reached.

    Raises:
        SlipwayError: the channels have no Python of the configured minor version.
    """
    path = settings.root / LOCK_NAME
    if not settings.channels:
        return None
    try:
        _solve(_sources(settings), settings.python, settings.platform, path)
    except Unreachable:
        return None
    return path


def install(interpreter: Interpreter, prefix: Path, platform: str) -> list[CondaPackage]:
    """Link the interpreter's packages into ``prefix``; no script of theirs is run.

    Raises:
        SlipwayError: the lock cannot be read or lists nothing for ``platform``, a package cannot
            be fetched or is not what the lock says.
    """
    reply = _ask(
        "install",
        what=f"installing what {interpreter.lock.name} lists",
        fix=f"reach the network, or remove {interpreter.lock.name} and lock again",
        lock=interpreter.lock,
        prefix=prefix,
        platform=platform,
        cache=cache_dir("conda-packages"),
    )
    return [CondaPackage(**package) for package in reply["packages"]]


def _remembered(settings: Settings, platform: str) -> Path:
    sources = _sources(settings)
    facts = json.dumps([sources, settings.python, platform])
    key = hashlib.sha256(facts.encode()).hexdigest()[:32]
    lock = cache_dir("interpreters") / f"{key}.lock"
    missed = lock.with_suffix(".unreachable")
    if lock.is_file():
        return lock
    if missed.is_file() and time.time() - missed.stat().st_mtime < UNREACHABLE_FOR:
        raise Unreachable(missed.read_text(), fix="reach the network, and try in ten minutes")
    try:
        _solve(sources, settings.python, platform, lock)
    except Unreachable as error:
        missed.write_text(error.what)
        raise
    return lock


def _sources(settings: Settings) -> list[str]:
    """Channels as rattler wants them: names and URLs stay, folders become ``file://`` URLs."""
    found = []
    for channel in settings.channels:
        folder = settings.root / channel
        local = "://" not in channel and "/" in channel and folder.is_dir()
        found.append(folder.resolve().as_uri() if local else channel)
    return found


def _solve(sources: list[str], minor: str, platform: str, lock: Path) -> None:
    with written_aside(lock) as aside:
        _ask(
            "solve",
            what=f"finding Python {minor} for {platform} in {', '.join(sources)}",
            fix="mend [environment] channels in slipway.toml, or reach the network",
            channels=sources,
            spec=f"python {minor}.*",
            platform=platform,
            virtual_packages=VIRTUAL_PACKAGES,
            lock=aside,
            cache=cache_dir("conda-channels"),
        )


def _local(minor: str) -> Interpreter:
    """The machine's own CPython, through a channel in the cache that holds just that."""
    installed = cpython.find(minor)
    folder = cache_dir("interpreters") / cpython.fingerprint(installed)[:32]
    note, lock = folder / "content.json", folder / LOCK_NAME
    if not lock.is_file():
        with locked(folder.with_name(folder.name + ".guard")):
            if not lock.is_file():
                _make_channel(installed, folder)
                _solve([folder.as_uri()], minor, OWN_PLATFORM, lock)
    identity: str = json.loads(note.read_text())["sha256"]
    return Interpreter(lock, local=True, identity=identity)


def _make_channel(installed: cpython.Installed, folder: Path) -> None:
    with written_aside(folder) as aside:
        for name in (OWN_PLATFORM, "noarch"):
            (aside / name).mkdir(parents=True)
        digest = cpython.write_package(installed, aside / OWN_PLATFORM)
        _ask("index", what="indexing the local channel", fix=None, folder=aside)
        (aside / "content.json").write_text(json.dumps({"sha256": digest}))


def _ask(task: str, *, what: str, fix: str | None, **values: Any) -> dict[str, Any]:
    request = json.dumps({"task": task, **values}, default=str)
    done = process.run([sys.executable, "-P", WORKER], what=what, fix=fix, stdin=request)
    reply: dict[str, Any] = json.loads(done.stdout)
    if "error" in reply:
        kind = Unreachable if reply["unreachable"] else SlipwayError
        raise kind(f"{what}: {str(reply['error']).splitlines()[0]}", fix=fix)
    return reply
