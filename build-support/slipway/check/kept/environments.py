"""The environments in the cache, of which a check takes the modules of those built from a lock."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from slipway.check.kept.folder import identity_of
from slipway.environment.environment import FILES, METADATA
from slipway.files import cache_root

ANY = "*"  # the lock of an environment whose description cannot be read


class Environments:
    """All environments in the cache. ``known`` has earlier ones: their state and their lock."""

    def __init__(self, known: dict[str, list[str]]) -> None:
        self.states: dict[str, list[str]] = {}
        for metadata in sorted((cache_root() / "environments").glob(f"*/{METADATA}")):
            folder = metadata.parent
            state = ", ".join(identity_of(folder / name) for name in FILES)
            earlier = known.get(folder.name)
            if earlier is not None and earlier[0] == state:
                self.states[folder.name] = earlier
            else:
                self.states[folder.name] = [state, _lock_of(metadata)]
        self._by_lock: dict[str, list[str]] = {}
        for name, (state, lock) in self.states.items():
            self._by_lock.setdefault(lock, []).append(f"{name} {state}")

    def built_from(self, lock: str) -> str:
        """Return a digest of the environments built from a lock's content, given by its SHA-256."""
        found = [*self._by_lock.get(lock, ()), *self._by_lock.get(ANY, ())]
        return hashlib.sha256("\n".join(found).encode()).hexdigest() if lock and found else ""


def _lock_of(metadata: Path) -> str:
    try:
        return str(json.loads(metadata.read_text(encoding="utf-8"))["lock"])
    except (OSError, ValueError, KeyError, TypeError):
        return ANY
