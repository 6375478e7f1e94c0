"""Verify tokens by the keys and revocations of a folder, which may change while it is read."""

from __future__ import annotations

import time
from pathlib import Path

from slipway.endpoint.access.tokens import keys, record
from slipway.endpoint.access.tokens.grant import Grant
from slipway.endpoint.access.tokens.token import BadToken, read_token
from slipway.errors import SlipwayError

CHECK_S = 1.0  # so soon does a revocation hold


class TokenReader:
    """Verifies tokens of ``folder``. The private key there is not read, and need not be there."""

    def __init__(self, folder: Path) -> None:
        """Read the keys and the revocations.

        Raises:
            SlipwayError: they cannot be read.
        """
        self._folder = folder
        self._generation = 0
        self._checked = time.monotonic()
        self._seen = self._state()
        self._public = keys.load_public_keys(folder)
        self._revoked = record.revoked_ids(folder)

    def generation(self) -> int:
        """Return a number that changes when a key or a revocation does.

        What cannot be read any more lets nobody in: an unreadable deny list denies.
        """
        now = time.monotonic()
        if now < self._checked + CHECK_S:
            return self._generation
        self._checked = now
        state = self._state()
        if state == self._seen:
            return self._generation
        try:
            self._public = keys.load_public_keys(self._folder)
            self._revoked = record.revoked_ids(self._folder)
        except (SlipwayError, OSError):
            self._public, self._revoked = {}, frozenset()
            state = None
        self._seen = state
        self._generation += 1
        return self._generation

    def read(self, token: str) -> Grant:
        """Return what ``token`` allows.

        Raises:
            BadToken: it is not accepted.
        """
        self.generation()
        if not self._public:
            raise BadToken("there is no key to verify it with")
        return read_token(token, self._public, self._revoked)

    def _state(self) -> tuple[tuple[int, int, int], ...] | None:
        try:
            paths = (self._folder / keys.PUBLIC, self._folder / record.FILE)
            found = [path.stat() for path in paths if path.exists()]
        except OSError:
            return None
        return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in found)
