"""The embedded release store: a folder, so that publishing works on a fresh laptop."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.files import aside, locked, sha256_of, written_aside

CHUNK = 1 << 20


class DirectoryStore:
    """A :class:`~slipway.release.store.Store` below the folder ``root``.

    A key is created by giving the finished file its name with a hard link, which the operating
    system refuses if the name is taken: two publishers cannot both win.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def create_file(self, key: str, source: Path, sha256: str) -> bool:
        """See :class:`~slipway.release.store.Store`; the bytes are hashed while they are copied."""
        target = self._path(key)
        if target.exists():
            return False
        with aside(target) as made:
            digest = hashlib.sha256()
            with source.open("rb") as file, made.open("wb") as out:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            if digest.hexdigest() != sha256:
                raise SlipwayError(
                    f"its SHA-256 is {digest.hexdigest()}, packing recorded {sha256}",
                    where=str(source),
                    fix="it changed after it was built: build it anew",
                )
            return _claim(made, target)

    def create(self, key: str, data: bytes) -> bool:
        """See :class:`~slipway.release.store.Store`."""
        target = self._path(key)
        with aside(target) as made:
            made.write_bytes(data)
            return _claim(made, target)

    def read(self, key: str) -> bytes | None:
        """See :class:`~slipway.release.store.Store`."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def digest(self, key: str) -> str | None:
        """See :class:`~slipway.release.store.Store`."""
        path = self._path(key)
        return sha256_of(path) if path.exists() else None

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """See :class:`~slipway.release.store.Store`; a lock file keeps other writers out."""
        path = self._path(key)
        with locked(path.with_name(f".{path.name}.lock")):
            if self.read(key) != expected:
                return False
            with written_aside(path) as made:
                made.write_bytes(data)
            return True

    def keys(self, prefix: str) -> list[str]:
        """See :class:`~slipway.release.store.Store`."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        relative = (path.relative_to(self.root) for path in files)
        visible = (p for p in relative if not any(part.startswith(".") for part in p.parts))
        return sorted(p.as_posix() for p in visible if p.as_posix().startswith(prefix))

    def _path(self, key: str) -> Path:
        path = self.root / key
        if not path.resolve().is_relative_to(self.root.resolve()) or key.startswith("/"):
            raise SlipwayError(f"the key {key!r} leads out of the store", where=str(self.root))
        return path


def _claim(made: Path, target: Path) -> bool:
    """Give the finished file its name, unless that is taken."""
    try:
        os.link(made, target)
    except FileExistsError:
        return False
    return True
