"""Capture what a client asked and was answered, off the request's path."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from weakref import WeakSet

from slipway.capture.exchange import Exchange
from slipway.capture.location import CaptureLocation, location_of
from slipway.capture.record import Role
from slipway.capture.sampling import is_sampled
from slipway.capture.writer import CaptureWriter, FindRules
from slipway.catalog.captured_models import rules_finder
from slipway.catalog.reader import CatalogReader
from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings, Settings

VARIANT = "AllTraffic"  # where an answer names none

log = logging.getLogger(__name__)


class ClientCapture:
    """What one client captures in this process: answers, and those of shadows.

    The writer is created with the first answer, and again in each process that is forked: its
    threads do not follow a fork, and its files belong to one process. A process that ends without
    :meth:`close` closes it all the same.
    """

    def __init__(
        self, endpoint: str, location: CaptureLocation, find_rules: FindRules, share: float
    ) -> None:
        self.location = location
        self._endpoint = endpoint
        self._find_rules = find_rules
        self._share = share
        self._writer: CaptureWriter | None = None
        self._starting = threading.Lock()
        self._closed = False
        _live.add(self)

    def is_sampled(self, event_id: str) -> bool:
        """Return whether the answer of this id is to be offered."""
        return not self._closed and is_sampled(event_id, self._share)

    def offer(
        self,
        event_id: str,
        variant: str,
        target: str,
        request: tuple[bytes, str],
        response: tuple[bytes, str],
        *,
        role: Role = "answer",
    ) -> None:
        """Offer an answer: bodies with their content types. Returns at once, and never raises."""
        if not self.is_sampled(event_id):
            return
        try:
            exchange = Exchange(
                event_id,
                time.time(),
                self._endpoint,
                variant or VARIANT,
                target,
                *request,
                *response,
                role,
            )
            (self._writer or self._start()).offer(exchange)
        except Exception:
            # no answer is lost because it cannot be captured
            log.exception("an answer of %s is not captured", target)

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Return what became of the sampled answers of this process; see
        :meth:`~slipway.capture.writer.CaptureWriter.counts`."""
        return {} if self._writer is None else self._writer.counts()

    def close(self) -> None:
        """Write what was captured, and capture nothing more."""
        self._closed = True
        with self._starting:
            if self._writer is not None:
                self._writer.close()

    def _start(self) -> CaptureWriter:
        with self._starting:
            if self._writer is None:
                self._writer = CaptureWriter(self.location, self._find_rules, sampling=self._share)
            return self._writer

    def _forget(self) -> None:
        """Begin again in a process that was forked."""
        if self._writer is not None:
            _of_the_parent.append(self._writer)
        self._writer = None
        self._starting = threading.Lock()


def open_capture(
    repository: Settings,
    entry: EndpointSettings,
    location: bool | str,
    share: float | None,
    catalog: CatalogReader,
    endpoint: str,
) -> ClientCapture:
    """Return the captures of the endpoint ``entry``, whose records name it ``endpoint``: at
    ``location``, or with ``True`` where the entry says.

    Raises:
        SlipwayError: a location is of an unknown kind, or ``share`` is no share.
    """
    share = entry.capture_sample if share is None else share
    if not 0 < share <= 1:
        raise SlipwayError(
            f"capture_sample is {share!r}", fix="a share of the requests, such as 0.1"
        )
    if isinstance(location, str):
        entry = replace(entry, capture=location)
    place = location_of(repository, entry)
    return ClientCapture(endpoint, place, rules_finder(catalog), share)


_live: WeakSet[ClientCapture] = WeakSet()
# never finalized here: their files are the parent's
_of_the_parent: list[CaptureWriter] = []


def _forget_all() -> None:
    for capture in list(_live):
        capture._forget()


def _close_all() -> None:
    for capture in list(_live):
        capture.close()


os.register_at_fork(after_in_child=_forget_all)
atexit.register(_close_all)
