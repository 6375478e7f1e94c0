"""The file in which the checks of a checkout are kept."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from slipway.cache import mark_used
from slipway.files import atomic_write, cache_dir

KIND = "checks"
CHECKOUTS = 8  # of which the checks are kept: those checked last


def kept_file(root: Path) -> Path:
    """Return the path of the file for the checkout ``root``, seen from the current directory."""
    key = f"{root}\0{os.getcwd()}".encode("utf-8", "surrogateescape")
    return cache_dir(KIND) / f"{hashlib.sha256(key).hexdigest()[:32]}.json"


def read_kept(file: Path) -> dict[str, Any]:
    """Return the content of a kept file; nothing where it is missing or damaged."""
    try:
        digest, _, text = file.read_bytes().partition(b"\n")
    except OSError:
        return {}
    if digest.decode("ascii", "replace") != hashlib.sha256(text).hexdigest():
        return {}
    content = json.loads(text)
    mark_used(file)
    return content if isinstance(content, dict) else {}


def write_kept(file: Path, content: dict[str, Any]) -> None:
    """Write a kept file, and remove those of the checkouts that were not checked for longest.

    A file that cannot be written costs only the next check's time.
    """
    text = json.dumps(content, separators=(",", ":")).encode()
    with contextlib.suppress(OSError):
        with atomic_write(file) as temporary:
            temporary.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
        others = sorted(file.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for old in others[:-CHECKOUTS]:
            old.unlink(missing_ok=True)
