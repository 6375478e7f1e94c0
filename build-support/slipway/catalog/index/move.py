"""Keep the index right while what a name serves changes, whoever is interrupted, and wherever."""

from __future__ import annotations

import contextlib
import secrets
from types import TracebackType

from slipway.catalog import keys
from slipway.catalog.index.entry import Entry, stored_entry
from slipway.catalog.index.line import read_line
from slipway.catalog.index.snapshot import refresh_snapshot
from slipway.catalog.journal import now
from slipway.errors import SlipwayError
from slipway.store.interface import AccessDenied
from slipway.store.stage import StageStore

REFRESHED_BY = 8  # one of so many moves writes the snapshot anew


class Move:
    """A change of what ``name`` serves: its alias, or the records that an overview shows.

    :meth:`begin` marks the entry of ``name`` before the first change. At the end of the block, the
    last of several callers reads the truth, and writes the line. If it is killed in between, the
    mark stays, and every reader looks at the alias itself.
    """

    def __init__(self, stage: StageStore, name: str) -> None:
        self._stage, self._name = stage, name
        self._token: str | None = None

    def __enter__(self) -> Move:
        return self

    def begin(self) -> None:
        """Mark the entry, if this call has not done so.

        Raises:
            SlipwayError: the store refuses it.
        """
        if self._token is not None:
            return
        key, token = self._key, secrets.token_hex(8)
        while True:
            data = self._stage.store.read(key)
            running = stored_entry(data, self._name, key).running()
            marked = Entry(self._name, None, {**running, token: now()})
            if self._stage.store.swap(key, data, marked.dump()):
                break
        self._token = token

    def begin_if_allowed(self) -> bool:
        """Mark the entry, unless the store does not allow this role to; return whether it did."""
        try:
            self.begin()
        except AccessDenied:
            return False
        return True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is None or (kind is not None and not issubclass(kind, Exception)):
            return  # nothing changed; or the call was interrupted
        # the change is made: if this fails, the mark stays, which is right and only slower
        with contextlib.suppress(SlipwayError):
            self._end(self._token)
            if int(self._token, 16) % REFRESHED_BY == 0:
                refresh_snapshot(self._stage)

    @property
    def _key(self) -> str:
        return keys.index_entry(self._stage.name, self._name)

    def _end(self, token: str) -> None:
        """Take the mark back; write the line if no other call is marked."""
        while True:
            data = self._stage.store.read(self._key)
            running = stored_entry(data, self._name, self._key).running()
            running.pop(token, None)
            # read after the entry: whoever changes it meanwhile changes the entry as well
            line = None if running else read_line(self._stage, self._name)
            if self._stage.store.swap(self._key, data, Entry(self._name, line, running).dump()):
                return
