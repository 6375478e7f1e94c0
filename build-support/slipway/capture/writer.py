"""Write captures off the request's path."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import SimpleQueue

from slipway.capture.counts import DROPPED, OFFERED, UNSAMPLED, Counts
from slipway.capture.exchange import Exchange
from slipway.capture.keeper import Keeper
from slipway.capture.location import CaptureLocation
from slipway.capture.sampling import is_sampled
from slipway.model.capture_rules import CaptureRules

# the rules of a target model; ``None`` or an error: they are not known, and nothing is captured
FindRules = Callable[[str], "CaptureRules | None"]
RETRY_RULES_S = 60.0
BATCH_S = 0.05  # after the first request, more are gathered for so long
IDLE_S = 1.0
CLOSE_S = 15.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueueLimits:
    """How much may wait to be written: ``requests``, and ``bytes`` of their bodies."""

    requests: int = 4096
    bytes: int = 64 << 20


class CaptureWriter:
    """Sample, redact and write exchanges in the background, to a folder or a bucket.

    ``find_rules`` is called in the background, once for each target model; again after a minute if
    it returned ``None`` or raised. ``sampling`` is a share of what each model's rules sample.

    Safe to use from several threads and from an event loop.

    Raises:
        SlipwayError: the location cannot be written to, or a store in S3 is not configured.
    """

    def __init__(
        self,
        location: CaptureLocation,
        find_rules: FindRules,
        *,
        sampling: float = 1.0,
        limits: QueueLimits | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._counts = Counts()
        self._keeper = keeper or Keeper(location, self._counts)
        self._find_rules = find_rules
        self._sampling = sampling
        self._limits = limits or QueueLimits()
        self._rules: dict[str, CaptureRules] = {}
        self._unknown: dict[str, float] = {}  # until when no rules are looked for
        # each with whether it was sampled already: not where its rules are still to be found
        self._queue: SimpleQueue[tuple[Exchange, bool]] = SimpleQueue()
        self._lock = threading.Lock()
        self._bytes = 0
        self._wake = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="slipway-capture", daemon=True)
        self._thread.start()

    def offer(self, exchange: Exchange) -> bool:
        """Return at once whether the exchange was taken: not if it is not sampled, or the queue is
        full, which is counted. Nothing of it is decoded or copied here."""
        self._counts.add(exchange, OFFERED)
        rules = self._rules.get(exchange.target)
        if rules is not None and not self._samples(exchange, rules):
            return False
        with self._lock:
            # one that is larger than all of the queue's bytes is taken when nothing else waits
            waits = self._queue.qsize()
            full = waits >= self._limits.requests or (
                waits and self._bytes + exchange.size > self._limits.bytes
            )
            if not full and not self._closed:
                self._bytes += exchange.size
                self._queue.put((exchange, rules is not None))
        if full or self._closed:
            self._drop(exchange, "closed" if self._closed else "queue_full")
            return False
        if not self._wake.is_set():
            self._wake.set()
        return True

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Return by target model what became of what was offered: ``offered``, ``unsampled``,
        ``written``, and ``dropped.<reason>`` for each reason."""
        return self._counts.snapshot()

    def flush(self, timeout_s: float = CLOSE_S) -> bool:
        """Wait until all that was offered before is written or dropped; return whether it is."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._queue.empty() and self._bytes == 0:
                return True
            time.sleep(0.005)
        return False

    def close(self) -> None:
        """Write what is in the queue, close the files, and end the background's work."""
        with self._lock:
            self._closed = True
        self._wake.set()
        self._thread.join()

    def _samples(self, exchange: Exchange, rules: CaptureRules) -> bool:
        if is_sampled(exchange.sampling_id, self._sampling * rules.sample):
            return True
        self._counts.add(exchange, UNSAMPLED)
        return False

    def _run(self) -> None:
        while True:
            self._wake.wait(IDLE_S)
            if not self._closed and self._wake.is_set():
                time.sleep(BATCH_S)
            self._wake.clear()
            while not self._queue.empty():
                self._take(*self._queue.get())
            try:
                self._keeper.tick()
            except Exception:  # as above: it must not end the thread
                log.exception("captures were not completed or forgotten when they were due")
            if self._closed and self._queue.empty():
                self._keeper.close(CLOSE_S)
                return

    def _take(self, exchange: Exchange, chosen: bool) -> None:
        """Write one exchange, or count why not."""
        try:
            rules = self._known_rules(exchange.target)
            if rules is None:
                self._drop(exchange, "unknown_rules")
            elif chosen or self._samples(exchange, rules):
                self._keeper.keep(exchange, rules)
        except Exception:
            # nobody waits for it: its error must neither end the thread, nor go unseen
            log.exception("a request to %s was not captured", exchange.target)
            self._drop(exchange, "failed")
        finally:
            with self._lock:
                self._bytes -= exchange.size

    def _known_rules(self, target: str) -> CaptureRules | None:
        """Return the rules of a target model. Without them it is not captured: what has to be
        redacted would be kept."""
        rules = self._rules.get(target)
        if rules is not None or time.monotonic() < self._unknown.get(target, 0.0):
            return rules
        try:
            rules, reason = self._find_rules(target), "its release has no record"
        except Exception as error:  # of a store, of a network
            reason = str(error)
        if rules is None:
            self._unknown[target] = time.monotonic() + RETRY_RULES_S
            log.warning("%s is not captured: its rules are not known (%s)", target, reason)
        else:
            self._rules[target] = rules
            self._unknown.pop(target, None)
        return rules

    def _drop(self, exchange: Exchange, reason: str) -> None:
        self._counts.add(exchange, f"{DROPPED}{reason}")
