"""Capture in a process of its own, so that a server's requests do not wait for it.

To encode and to write a request takes longer than a server that is written in Python needs to pass
it on, and a thread of the server would do it while requests wait for the interpreter.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from operator import attrgetter

from slipway.capture.counts import DROPPED, OFFERED, UNSAMPLED
from slipway.capture.exchange import Exchange
from slipway.capture.location import CaptureLocation
from slipway.capture.process.frame import Frame
from slipway.capture.process.worker import Sent, Worker
from slipway.capture.sampling import is_sampled
from slipway.capture.writer import (
    CLOSE_S,
    IDLE_S,
    RETRY_RULES_S,
    FindRules,
    QueueLimits,
)
from slipway.errors import SlipwayError

# between frames: more often, and to wake two processes takes longer than what they exchange; less
# often, and a killed server loses more
BATCH_S = 0.05
MOST_REQUESTS = 512  # of a frame
RESTART_S = COUNTS_S = 1.0

log = logging.getLogger(__name__)


class CaptureProcess:
    """What :class:`~slipway.capture.writer.CaptureWriter` does, for one server and its endpoint.

    Its own threads only hand over what was offered. If the process ends, another one is started;
    what it had not reported by then is counted as dropped, even if some of it was written.

    Raises:
        SlipwayError: the location cannot be written to, or a store in S3 is not configured.
    """

    def __init__(
        self,
        endpoint: str,
        location: CaptureLocation,
        find_rules: FindRules,
        *,
        sampling: float = 1.0,
        limits: QueueLimits | None = None,
    ) -> None:
        place = {**asdict(location), "folder": str(location.folder) if location.folder else None}
        self._orders = json.dumps({"endpoint": endpoint, "location": place})
        self._find_rules = find_rules
        self._sampling = sampling
        self._limits = limits or QueueLimits()
        self._lock = threading.Lock()
        self._queue: deque[Exchange] = deque()
        self._shares: dict[str, float] = {}  # of the target models whose rules are known
        self._retry: dict[str, float] = {}  # when to look for the rules of others again
        self._counts: dict[str, dict[str, int]] = {}
        self._reported: dict[str, dict[str, int]] = {}  # by processes that have ended
        self._waiting = 0  # requests in the queue and in the process
        self._bytes = 0
        self._is_closed = False
        self._counts_at = 0.0  # when the process is told those of all target models
        self._is_idle = False  # the thread waits until something is offered
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._worker = Worker(self._orders)
        self._thread = threading.Thread(target=self._run, name="slipway-capture", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The id of the process that writes."""
        return self._worker.pid

    def offer(self, exchange: Exchange) -> bool:
        """Return at once whether the exchange was taken: not if it is not sampled, or the queue is
        full, which is counted. Nothing of it is decoded or copied here."""
        return self.samples(exchange.target, exchange.sampling_id) and self.put(exchange)

    def samples(self, target: str, sampling_id: str) -> bool:
        """Count an offer to ``target``; return whether :meth:`put` has to follow. Most requests of
        a small share end here."""
        share = self._shares.get(target, 1.0)
        sampled = share >= 1 or is_sampled(sampling_id, share)
        with self._lock:
            counts = self._counts.get(target)
            if counts is None:
                counts = self._counts[target] = {OFFERED: 0}
            counts[OFFERED] += 1
            if not sampled:
                counts[UNSAMPLED] = counts.get(UNSAMPLED, 0) + 1
        return sampled

    def put(self, exchange: Exchange) -> bool:
        """Return whether there was room for an exchange that :meth:`samples` has chosen."""
        size = len(exchange.request) + len(exchange.response)
        limits = self._limits
        with self._lock:
            if self._is_closed:
                outcome = f"{DROPPED}closed"
            elif self._waiting >= limits.requests or (
                # one that is larger than all of the queue's bytes is taken when nothing else waits
                self._bytes + size > limits.bytes
                and self._waiting
            ):
                outcome = f"{DROPPED}queue_full"
            else:
                self._queue.append(exchange)
                self._waiting += 1
                self._bytes += size
                if self._is_idle:
                    self._is_idle = False
                    self._wake.set()
                return True
            self._count(exchange.target, outcome)
            return False

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Return by target model what became of what was offered: ``offered``, ``unsampled``,
        ``written``, and ``dropped.<reason>`` for each reason."""
        result = self._own_counts()
        for counted in (self._reported, self._worker.counts):
            _add(result, counted)
        return result

    def flush(self, timeout_s: float = CLOSE_S) -> bool:
        """Wait until all that was offered before is written or dropped; return whether it is."""
        deadline = time.monotonic() + timeout_s
        while self._waiting and time.monotonic() < deadline:
            time.sleep(0.005)
        return not self._waiting

    def close(self) -> None:
        """Write what is in the queue, and end the process. After :data:`CLOSE_S` it goes on without
        this one, with what it has got."""
        with self._lock:
            self._is_closed = True
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSE_S)
        if self._worker.join(CLOSE_S):
            self._settle()
        else:
            log.warning(
                "the last captures are still being written, by process %d", self._worker.pid
            )

    def _run(self) -> None:
        """Hand over what is in the queue, every :data:`BATCH_S`."""
        sent: set[str] = set()  # the target models whose rules the process has
        while True:
            self._rest()
            closed = self._closing.is_set()
            self._settle()
            if not self._worker.is_running and not closed:
                sent = set()
                self._restart()
            while self._queue and self._worker.is_running:
                self._hand_over(sent)
            if closed:
                self._worker.send(Frame((), {}, self._own_counts()))
                self._worker.close()
                return

    def _rest(self) -> None:
        """Wait until something is offered, and then for more, or for what the process reports. A
        server that is asked nothing costs nothing."""
        with self._lock:
            self._is_idle = not self._waiting and not self._is_closed
            if self._is_idle:
                self._wake.clear()
        if not self._is_idle or self._wake.wait(IDLE_S):
            self._closing.wait(BATCH_S)

    def _hand_over(self, sent: set[str]) -> None:
        """Send a frame: what waits, except what may not be captured or is not sampled."""
        count = min(len(self._queue), MOST_REQUESTS)
        batch = [self._queue.popleft() for _ in range(count)]
        rules: dict[str, Mapping[str, object]] = {}
        targets = set(map(attrgetter("target"), batch))
        for target in targets - sent:
            found = self._look_for_rules(target)
            if found is not None:
                rules[target] = found
        known = sent | set(rules)
        taken = batch
        if rules or targets - sent:  # what was offered before its rules were known
            taken = []
            for exchange in batch:
                if exchange.target not in known:
                    self._give_up(exchange, f"{DROPPED}unknown_rules")
                elif exchange.target not in sent and not self._samples(exchange):
                    self._give_up(exchange, UNSAMPLED)
                else:
                    taken.append(exchange)
        self._worker.send(Frame(taken, rules, self._counts_due(targets)))
        sent |= set(rules)

    def _samples(self, exchange: Exchange) -> bool:
        return is_sampled(exchange.sampling_id, self._shares[exchange.target])

    def _look_for_rules(self, target: str) -> Mapping[str, object] | None:
        """Return the rules of a target model. Without them it is not captured: what has to be
        redacted would be kept."""
        if time.monotonic() < self._retry.get(target, 0.0):
            return None
        try:
            rules, reason = self._find_rules(target), "its release has no record"
        except Exception as error:  # of a store, of a network
            rules, reason = None, str(error)
        if rules is None:
            self._retry[target] = time.monotonic() + RETRY_RULES_S
            log.warning("%s is not captured: its rules are not known (%s)", target, reason)
            return None
        self._shares[target] = self._sampling * rules.sample
        return rules.dump()

    def _settle(self) -> None:
        """Take what the process has reported out of what waits, and give up what it had when it
        ended."""
        self._release(self._worker.reported(), None)
        if not self._worker.is_running:  # as found meanwhile, behind its last report
            self._release(self._worker.unreported(), f"{DROPPED}process_ended")

    def _release(self, frames: Iterable[Sent], outcome: str | None) -> None:
        for sent in frames:
            with self._lock:
                self._waiting -= sent.requests
                self._bytes -= sent.bytes
                for target, count in sent.targets.items() if outcome else ():
                    self._count(target, outcome or "", count)

    def _restart(self) -> None:
        ended = self._worker
        _add(self._reported, ended.counts)
        ended.counts = {}
        log.warning("the process that writes captures has ended; another one is started")
        try:
            self._worker = Worker(self._orders)
        except (SlipwayError, OSError) as error:
            log.warning("captures cannot be written: %s", error)
            self._closing.wait(RESTART_S)
            return
        ended.close()
        ended.join(RESTART_S)

    def _give_up(self, exchange: Exchange, outcome: str) -> None:
        with self._lock:
            self._waiting -= 1
            self._bytes -= exchange.size
            self._count(exchange.target, outcome)

    def _count(self, target: str, outcome: str, number: int = 1) -> None:
        """Count, with the lock held."""
        counts = self._counts.setdefault(target, {})
        counts[outcome] = counts.get(outcome, 0) + number

    def _own_counts(self) -> dict[str, dict[str, int]]:
        with self._lock:
            return {target: dict(counts) for target, counts in self._counts.items()}

    def _counts_due(self, targets: Iterable[str]) -> dict[str, dict[str, int]]:
        """Return the counts of these target models; once in :data:`COUNTS_S` those of all."""
        now = time.monotonic()
        if now >= self._counts_at:
            self._counts_at = now + COUNTS_S
            return self._own_counts()
        with self._lock:
            return {target: dict(self._counts[target]) for target in targets}


def _add(total: dict[str, dict[str, int]], counted: Mapping[str, Mapping[str, int]]) -> None:
    for target, counts in counted.items():
        for outcome, number in counts.items():
            own = total.setdefault(target, {})
            own[outcome] = own.get(outcome, 0) + number
