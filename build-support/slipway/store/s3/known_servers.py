"""Remember, on this machine, which S3 servers keep conditional writes, so that each is tested once.

Only what a server does rightly is remembered, and for some days: it may be replaced by another.
"""

from __future__ import annotations

import contextlib
import json
import time

from slipway.files import atomic_write, cache_dir

FILE = "conditional-writes.json"
DAYS = 7
MAX_ENTRIES = 100


def is_known(server: str, bucket: str) -> bool:
    """Return whether ``bucket`` of ``server`` kept conditions within the last days."""
    return _name(server, bucket) in _load()


def remember(server: str, bucket: str) -> None:
    """Write down that ``bucket`` of ``server`` keeps conditions. Without a writable cache, the next
    process tests it again."""
    servers = {**_load(), _name(server, bucket): time.time()}
    newest = sorted(servers, key=lambda name: servers[name])[-MAX_ENTRIES:]
    with contextlib.suppress(OSError), atomic_write(cache_dir("stores") / FILE) as temporary:
        temporary.write_text(json.dumps({name: servers[name] for name in newest}, indent=1))


def _load() -> dict[str, float]:
    """Return when each server was tested, in seconds since the epoch; none from a damaged file."""
    try:
        values = json.loads((cache_dir("stores") / FILE).read_text())
        servers = {str(name): float(when) for name, when in values.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    now = time.time()
    # a time in the future was written by a wrong clock
    return {name: when for name, when in servers.items() if now - DAYS * 86400 < when <= now}


def _name(server: str, bucket: str) -> str:
    return f"{server}/{bucket}"
