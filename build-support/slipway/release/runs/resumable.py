"""Remember on this machine how far a long run came, so that the next one continues there.

What was done is noted by its content: whatever changed since is done again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Sequence
from typing import Any

from slipway.files import cache_dir

KIND = "unfinished"
DAYS = 7  # after which a run is not continued
MOST = 500_000  # entries


class Resumable:
    """The notes of a run, which ``identity`` (what, and of which stores) tells from others.

    ``age_s`` is how long ago the run that is continued wrote its last note, ``None`` without one.
    Without a writable cache nothing is remembered.
    """

    def __init__(self, what: str, identity: Sequence[str]) -> None:
        digest = hashlib.sha256(json.dumps([what, *identity]).encode()).hexdigest()
        self._path = cache_dir(KIND) / f"{what}-{digest[:16]}.jsonl"
        self._lock = threading.Lock()
        self._notes: dict[str, Any] = {}
        self.age_s: float | None = None
        with contextlib.suppress(OSError):
            age_s = time.time() - self._path.stat().st_mtime
            if age_s < DAYS * 86_400:
                self._read()
                self.age_s = age_s if self._notes else None
            else:
                self._path.unlink()

    def get(self, key: str) -> Any:
        """Return what was noted of ``key``, or ``None``."""
        return self._notes.get(key)

    def add(self, key: str, value: Any) -> None:
        """Note ``value`` of ``key``; from any thread."""
        line = json.dumps([key, value]) + "\n"
        with self._lock, contextlib.suppress(OSError):
            if len(self._notes) < MOST:
                self._notes[key] = value
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(line)

    def finish(self) -> None:
        """Forget the run: it has ended."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _read(self) -> None:
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError):  # the last one, cut off
                    key, value = json.loads(line)
                    self._notes[str(key)] = value
