"""Where the endpoints of this machine answer: a file for each that is up."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.files import written_aside

FOLDER = Path(".slipway") / "endpoints"


@contextmanager
def written(root: Path, names: list[str], url: str) -> Iterator[None]:
    """Say that this process serves the endpoints ``names`` at ``url``, until the block ends.

    Raises:
        SlipwayError: another process serves one of them.
    """
    for name in names:
        there = _read(root, name)
        if there:
            raise SlipwayError(
                f"the endpoint {name!r} is up already, at {there['url']}",
                where=str(_path(root, name)),
                fix=f"end the process {there['pid']}, or choose another name with --endpoint",
            )
    try:
        for name in names:
            with written_aside(_path(root, name)) as aside:
                aside.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
        yield
    finally:
        for name in names:
            _path(root, name).unlink(missing_ok=True)


def find(root: Path, name: str) -> str:
    """The URL at which the endpoint ``name`` answers.

    Raises:
        SlipwayError: it is not up.
    """
    there = _read(root, name)
    if there is None:
        raise SlipwayError(
            f"the endpoint {name!r} is not up here",
            where=str(root),
            fix=f"slipway endpoint up --endpoint {name}"
            f" (or set endpoint_name in [endpoint.{name}] of slipway.toml for the one in AWS)",
        )
    return str(there["url"])


def _read(root: Path, name: str) -> dict[str, object] | None:
    """What is written of an endpoint whose process lives."""
    try:
        said: dict[str, object] = json.loads(_path(root, name).read_bytes())
        alive = Path(f"/proc/{int(str(said['pid']))}").exists()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return said if alive else None


def _path(root: Path, name: str) -> Path:
    return root / FOLDER / f"{name}.json"
