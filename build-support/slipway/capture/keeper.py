"""Turn exchanges into lines, and lines into files: the work behind the queue."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from slipway.capture.counts import (
    DROPPED,
    WRITTEN,
    Counts,
    counts_key,
    dump_counts,
    subtract,
)
from slipway.capture.exchange import Exchange
from slipway.capture.hash_key import HashKey, load_hash_key
from slipway.capture.line import encode_line
from slipway.capture.location import CaptureLocation
from slipway.capture.storage.retention import forget_expired
from slipway.capture.storage.sink import Sink, open_sink
from slipway.capture.storage.spool import Line, Spool, group_of
from slipway.errors import SlipwayError
from slipway.model.capture_rules import CaptureRules
from slipway.triton.bodies import UndecodableError

FORGET_S = 3600.0
MOST_AT_ONCE = 1 << 20  # bytes of lines that are written together: a write takes longer than a line

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileLimits:
    """When files are closed: after ``bytes`` of a journal, or ``seconds`` since its first line.
    ``waiting`` bytes may be on this machine's disk while a bucket cannot be reached."""

    bytes: int = 32 << 20
    seconds: float = 300.0
    waiting: int = 256 << 20


class Keeper:
    """Keep exchanges at a location. Not safe to use from several threads.

    Raises:
        SlipwayError: the location cannot be written to, or a store in S3 is not configured.
    """

    def __init__(
        self, location: CaptureLocation, counts: Counts, limits: FileLimits | None = None
    ) -> None:
        self._location = location
        self._counts = counts
        self._limits = limits or FileLimits()
        self._sink: Sink = open_sink(location)
        self._spool = Spool(self._sink.spool, self._sink.deliver)
        self._key: HashKey | None = None
        self._waiting = 0
        self._counted: dict[str, dict[str, dict[str, int]]] = {}
        self._day = datetime.now(timezone.utc).date()
        self._forgot = 0.0
        self._recover()

    def keep(self, exchange: Exchange, rules: CaptureRules) -> None:
        """Write an exchange to the journal, or count why it was not."""
        self.keep_all([exchange], {exchange.target: rules})

    def keep_all(self, exchanges: Iterable[Exchange], rules: Mapping[str, CaptureRules]) -> None:
        """Write exchanges to the journal by the rules of their target models, or count why they
        were not. A kill meanwhile leaves some of them, each whole."""
        lines: list[tuple[Line, Exchange]] = []
        size = 0
        for exchange in exchanges:
            line = self._encoded(exchange, rules)
            if line is None:
                continue
            if self._waiting + self._spool.size + size + len(line.data) > self._limits.waiting:
                self._counts.add(exchange, f"{DROPPED}disk_limit")
                continue
            lines.append((line, exchange))
            size += len(line.data)
            if size >= MOST_AT_ONCE:
                self._append(lines)
                lines, size = [], 0
        if lines:
            self._append(lines)

    def tick(self) -> None:
        """Do what is due: close a file of some age, forget what has expired."""
        if self._spool.size and self._spool.age_s >= self._limits.seconds:
            self.rotate()
        if self._location.folder and time.monotonic() - self._forgot >= FORGET_S:
            self._forgot = time.monotonic()
            forget_expired(self._location.folder, datetime.now(timezone.utc))

    def rotate(self) -> None:
        """Make complete files of what was written, with the counts so far."""
        try:
            self._spool.rotate()
            self._write_counts()
        except OSError as error:
            log.warning(
                "capture files were not completed (%s); the next start does it", error.strerror
            )
        self._waiting = self._sink.waiting()

    def close(self, timeout_s: float) -> None:
        """Make complete files of all, and send them, as the sink does."""
        self.rotate()
        try:
            self._spool.close()
        except OSError as error:
            log.warning("the spool of captures is not closed: %s", error.strerror)
        self._sink.close(timeout_s)

    def _encoded(self, exchange: Exchange, rules: Mapping[str, CaptureRules]) -> Line | None:
        """Return the line of an exchange; ``None`` if there is none, which is counted."""
        target = exchange.target
        try:
            own = rules[target]
            data = encode_line(exchange, own, self._hash_key(own))
            when, days = exchange.when, own.retention_days
            return Line(
                data, group_of(exchange.endpoint, exchange.variant, target, when, days), when
            )
        except UndecodableError as error:
            # which tensors to redact is not known: none of it is kept
            log.debug("a request to %s is not captured: %s", target, error)
            self._counts.add(exchange, f"{DROPPED}undecodable")
        except SlipwayError as error:
            log.warning("a request to %s is not captured: %s", target, error)
            self._counts.add(exchange, f"{DROPPED}no_hash_key")
        except Exception:
            # a request that is new to us must not end the capturing of all others
            log.exception("a request to %s was not captured", target)
            self._counts.add(exchange, f"{DROPPED}failed")
        return None

    def _append(self, lines: Sequence[tuple[Line, Exchange]]) -> None:
        outcome = WRITTEN
        try:
            self._spool.append([line for line, _ in lines])
        except OSError as error:
            outcome = f"{DROPPED}not_writable"
            log.warning("%d requests are not captured: %s", len(lines), error.strerror)
        self._counts.add_all([exchange for _, exchange in lines], outcome)
        if self._spool.size >= self._limits.bytes:
            self.rotate()

    def _recover(self) -> None:
        try:
            journals, left_out = self._spool.recover()
        except OSError as error:
            log.warning("captures of an earlier process were not recovered: %s", error.strerror)
            return
        if journals:
            log.warning(
                "recovered %d capture journals of processes that were killed;"
                " %d bytes of requests that were being written are left out",
                journals,
                left_out,
            )

    def _hash_key(self, rules: CaptureRules) -> HashKey | None:
        """Return the key, which is read when the first rule asks for hashes."""
        if self._key is None and rules.hashes:
            self._key = load_hash_key()
        return self._key

    def _write_counts(self) -> None:
        """Write what was counted today by this writer, over what it wrote before."""
        now = datetime.now(timezone.utc)
        counts = {name: self._counts.snapshot(name) for name in self._counts.endpoints()}
        for endpoint, own in counts.items():
            path = self._spool.folder / "counts"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as out:
                out.write(dump_counts(subtract(own, self._counted.get(endpoint, {}))))
            self._sink.deliver(path, counts_key(endpoint, now, self._spool.id))
        if now.date() != self._day:
            self._day, self._counted = now.date(), counts
