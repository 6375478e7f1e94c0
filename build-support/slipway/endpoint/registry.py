"""The addresses of this machine's endpoints: one file for each that is running."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.files import atomic_write

FOLDER = Path(".slipway") / "endpoints"


@contextmanager
def register(root: Path, names: list[str], url: str, asks: Sequence[str] = ()) -> Iterator[None]:
    """Register the endpoints ``names`` as served at ``url`` by this process, until the block ends.
    ``asks`` is what callers have to have: ``tokens``, ``credentials``, or nothing.

    Raises:
        SlipwayError: another process serves one of them.
    """
    for name in names:
        entry = _read(root, name)
        if entry:
            raise SlipwayError(
                f"the endpoint {name!r} is already running at {entry['url']}",
                where=str(_path(root, name)),
                fix=f"end the process {entry['pid']}, or choose another name with --endpoint",
            )
    try:
        for name in names:
            with atomic_write(_path(root, name)) as aside:
                entry = {"url": url, "pid": os.getpid()} | ({"asks": list(asks)} if asks else {})
                aside.write_text(json.dumps(entry), encoding="utf-8")
        yield
    finally:
        for name in names:
            _path(root, name).unlink(missing_ok=True)


def find_url(root: Path, name: str) -> str:
    """Return the URL of the endpoint ``name``.

    Raises:
        SlipwayError: it is not running.
    """
    entry = _read(root, name)
    if entry is None:
        raise SlipwayError(
            f"the endpoint {name!r} is not running on this machine",
            where=str(root),
            fix=f"slipway endpoint up --endpoint {name}"
            f" (or set endpoint_name in [endpoint.{name}] of slipway.toml for the one in AWS)",
        )
    return str(entry["url"])


def asks_for_credentials(root: Path, name: str) -> bool:
    """Return whether the endpoint ``name`` runs, and accepts signatures."""
    entry = _read(root, name)
    asks = entry.get("asks") if entry else None
    return isinstance(asks, list) and "credentials" in asks


def find_pid(root: Path, name: str) -> int | None:
    """Return the process that serves the endpoint ``name``; ``None`` if none does."""
    entry = _read(root, name)
    return int(str(entry["pid"])) if entry else None


def _read(root: Path, name: str) -> dict[str, object] | None:
    """Return the entry of an endpoint whose process is alive."""
    try:
        entry: dict[str, object] = json.loads(_path(root, name).read_bytes())
        alive = Path(f"/proc/{int(str(entry['pid']))}").exists()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return entry if alive else None


def _path(root: Path, name: str) -> Path:
    return root / FOLDER / f"{name}.json"
