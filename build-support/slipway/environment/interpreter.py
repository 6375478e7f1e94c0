"""The environment's Python: from the channels in ``slipway.toml``, otherwise this machine's."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway import process
from slipway.cache import mark_used
from slipway.environment.fallback import cpython
from slipway.environment.platforms import OWN_PLATFORM
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked, sha256_of
from slipway.settings import Settings

LOCK_NAME = "interpreter.lock"
WORKER = Path(__file__).with_name("conda_worker.py")
# what packages may require of the serving system; the glibc is that of platforms.UV_PLATFORMS
VIRTUAL_PACKAGES = {"__unix": "0", "__linux": "5.10", "__glibc": "2.28"}
RETRY_AFTER = 600.0  # seconds before an unreachable channel is tried again


class ChannelUnreachable(SlipwayError):
    """A channel cannot be reached, so it is unknown whether it has the package."""


@dataclass(frozen=True)
class Interpreter:
    """A Python and its dependencies, as conda packages."""

    lock: Path  # in rattler's lock format
    local: bool  # built from this machine's CPython
    identity: str  # equal for equal content


@dataclass(frozen=True)
class CondaPackage:
    """An installed conda package, with the channel and the file that it came from."""

    name: str
    version: str
    channel: str
    file: str


def choose_interpreter(settings: Settings, platform: str) -> Interpreter:
    """Return the Python of ``interpreter.lock``, of the channels, or this machine's CPython.

    The channels' answer is cached on this machine until ``slipway lock`` asks again. The machine's
    CPython is the fallback where there is no channel, or none can be reached.

    Raises:
        SlipwayError: the channels have no Python of the configured minor version for ``platform``,
            or cannot be reached and this machine is another platform.
    """
    pinned = settings.root / LOCK_NAME
    if pinned.is_file():
        return Interpreter(pinned, local=False, identity=sha256_of(pinned))
    if settings.channels:
        try:
            lock = _cached_lock(settings, platform)
            return Interpreter(lock, local=False, identity=sha256_of(lock))
        except ChannelUnreachable:
            if platform != OWN_PLATFORM:
                raise
    elif platform != OWN_PLATFORM:
        raise SlipwayError(
            f"no channel that provides a Python for {platform}; this machine is {OWN_PLATFORM}",
            fix='name one in slipway.toml: [environment] channels = ["conda-forge"]',
        )
    return _local_interpreter(settings.python)


def pin_interpreter(settings: Settings) -> Path | None:
    """Write ``interpreter.lock`` at the repository's root; return None if no channel is reached.

    Raises:
        SlipwayError: the channels have no Python of the configured minor version.
    """
    path = settings.root / LOCK_NAME
    if not settings.channels:
        return None
    try:
        _solve(_channel_urls(settings), settings.python, settings.platform, path)
    except ChannelUnreachable:
        return None
    return path


def install(interpreter: Interpreter, prefix: Path, platform: str) -> list[CondaPackage]:
    """Link the interpreter's packages into ``prefix``, without running their scripts.

    Raises:
        SlipwayError: the lock cannot be read or lists nothing for ``platform``; a package cannot
            be fetched or does not match the lock.
    """
    reply = _call_worker(
        "install",
        what=f"installing the packages of {interpreter.lock.name}",
        fix=f"reach the network, or remove {interpreter.lock.name} and lock again",
        lock=interpreter.lock,
        prefix=prefix,
        platform=platform,
        cache=cache_dir("conda-packages"),
    )
    return [CondaPackage(**package) for package in reply["packages"]]


def _cached_lock(settings: Settings, platform: str) -> Path:
    urls = _channel_urls(settings)
    key_text = json.dumps([urls, settings.python, platform])
    key = hashlib.sha256(key_text.encode()).hexdigest()[:32]
    lock = cache_dir("interpreters") / f"{key}.lock"
    failure = lock.with_suffix(".unreachable")
    if lock.is_file():
        return lock
    if failure.is_file() and time.time() - failure.stat().st_mtime < RETRY_AFTER:
        raise ChannelUnreachable(
            failure.read_text(), fix="reach the network, and try in ten minutes"
        )
    try:
        _solve(urls, settings.python, platform, lock)
    except ChannelUnreachable as error:
        failure.write_text(error.what)
        raise
    return lock


def _channel_urls(settings: Settings) -> list[str]:
    """Return the channels for rattler: names and URLs, with folders as ``file://`` URLs."""
    urls = []
    for channel in settings.channels:
        folder = settings.root / channel
        local = "://" not in channel and "/" in channel and folder.is_dir()
        urls.append(folder.resolve().as_uri() if local else channel)
    return urls


def _solve(urls: list[str], minor: str, platform: str, lock: Path) -> None:
    with atomic_write(lock) as sibling:
        _call_worker(
            "solve",
            what=f"finding Python {minor} for {platform} in {', '.join(urls)}",
            fix="correct [environment] channels in slipway.toml, or reach the network",
            channels=urls,
            spec=f"python {minor}.*",
            platform=platform,
            virtual_packages=VIRTUAL_PACKAGES,
            lock=sibling,
            cache=cache_dir("conda-channels"),
        )


def _local_interpreter(minor: str) -> Interpreter:
    """Return this machine's CPython, through a channel in the cache that holds only it."""
    installation = cpython.find_python(minor)
    folder = cache_dir("interpreters") / cpython.fingerprint(installation)[:32]
    content, lock = folder / "content.json", folder / LOCK_NAME
    if not lock.is_file():
        with locked(folder.with_name(folder.name + ".guard")):
            if not lock.is_file():
                _make_channel(installation, folder)
                _solve([folder.as_uri()], minor, OWN_PLATFORM, lock)
    mark_used(folder)
    identity: str = json.loads(content.read_text())["sha256"]
    return Interpreter(lock, local=True, identity=identity)


def _make_channel(installation: cpython.PythonInstallation, folder: Path) -> None:
    with atomic_write(folder) as sibling:
        for name in (OWN_PLATFORM, "noarch"):
            (sibling / name).mkdir(parents=True)
        digest = cpython.write_package(installation, sibling / OWN_PLATFORM)
        _call_worker("index", what="indexing the local channel", fix=None, folder=sibling)
        (sibling / "content.json").write_text(json.dumps({"sha256": digest}))


def _call_worker(task: str, *, what: str, fix: str | None, **values: Any) -> dict[str, Any]:
    request = json.dumps({"task": task, **values}, default=str)
    result = process.run([sys.executable, "-P", WORKER], what=what, fix=fix, stdin=request)
    reply: dict[str, Any] = json.loads(result.stdout)
    if "error" in reply:
        kind = ChannelUnreachable if reply["unreachable"] else SlipwayError
        raise kind(f"{what}: {str(reply['error']).splitlines()[0]}", fix=fix)
    return reply
