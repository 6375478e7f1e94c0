"""Capture what an endpoint was asked and answered, and report what was not."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter as Tally
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from slipway.capture.counts import DROPPED, WRITTEN
from slipway.capture.exchange import Exchange
from slipway.capture.inference_id import shadowed_event
from slipway.capture.location import CaptureLocation, location_of
from slipway.capture.process.capture_process import CaptureProcess
from slipway.capture.writer import FindRules
from slipway.endpoint.observed.observer import Metrics, Observer
from slipway.settings import EndpointSettings, Settings

CHECK_S = 5.0  # between looks at what was dropped
REQUEST_ID = "x-amzn-RequestId"


def new_request_id() -> str:
    """Return a random UUID without ``uuid``'s system call."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class EndpointCapture:
    """What one endpoint captures: its answers with status 200. :func:`run_capture` creates it."""

    def __init__(
        self,
        endpoint: str,
        location: CaptureLocation,
        find_rules: FindRules,
        share: float = 1.0,
    ) -> None:
        self.location = location
        self.share = share
        self._endpoint = endpoint
        self._writer = CaptureProcess(endpoint, location, find_rules, sampling=share)

    def offer(
        self,
        event_id: str,
        variant: str,
        target: str,
        request: tuple[bytes, str],
        response: tuple[bytes, str],
        *,
        inference_id: str = "",
    ) -> None:
        """Offer an answer: bodies with their content types. Returns at once, and never raises."""
        event = shadowed_event(inference_id) or event_id if inference_id else event_id
        if not self._writer.samples(target, event):
            return
        self._writer.put(
            Exchange(
                event_id,
                time.time(),
                self._endpoint,
                variant,
                target,
                *request,
                *response,
                "answer",
                inference_id,
            )
        )

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Return what became of the answers, as :meth:`CaptureProcess.counts` does."""
        return self._writer.counts()

    @property
    def pid(self) -> int:
        """The id of the process that writes."""
        return self._writer.pid

    def flush(self) -> bool:
        """Wait until all that was offered is written or dropped; return whether it is."""
        return self._writer.flush()

    def close(self) -> None:
        """Write what is in the queue."""
        self._writer.close()

    def snapshot(self) -> dict[str, Any]:
        """Return the state for the live page: answers written, and dropped by reason."""
        counts = self.counts().values()
        dropped = sum_dropped(self.counts())
        return {
            "location": str(self.location),
            "share": self.share,
            "written": sum(of_target.get(WRITTEN, 0) for of_target in counts),
            "dropped": dict(dropped),
        }


def sum_dropped(counts: Mapping[str, Mapping[str, int]]) -> Tally[str]:
    """Return how many captures of all targets were dropped, by reason."""
    dropped: Tally[str] = Tally()
    for of_target in counts.values():
        for what, count in of_target.items():
            if what.startswith(DROPPED) and count:
                dropped[what.removeprefix(DROPPED)] += count
    return dropped


@asynccontextmanager
async def run_capture(
    entry: EndpointSettings,
    settings: Settings,
    find_rules: FindRules,
    observer: Observer,
    metrics: Metrics,
) -> AsyncIterator[EndpointCapture]:
    """Capture what the endpoint ``entry`` answers until the block ends; then what is in the queue
    is written.

    Raises:
        SlipwayError: the location is of an unknown kind.
    """
    location = location_of(settings, entry)
    # it waits for the process
    capture = await asyncio.to_thread(
        EndpointCapture, entry.name, location, find_rules, entry.capture_sample
    )
    metrics.captures.watch(entry.name, capture.counts)
    report = _DropReport(capture, observer)
    task = asyncio.create_task(report.run())
    try:
        yield capture
    finally:
        task.cancel()
        await asyncio.to_thread(capture.close)
        report.look()


class _DropReport:
    """Makes events of what was dropped: nobody would look for it in a counter."""

    def __init__(self, capture: EndpointCapture, observer: Observer) -> None:
        self._capture = capture
        self._observer = observer
        self._seen: dict[tuple[str, str], int] = {}

    async def run(self) -> None:
        """Look every :data:`CHECK_S`, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            self.look()

    def look(self) -> None:
        """Record what was dropped since the last look, by target and reason."""
        for target, counts in self._capture.counts().items():
            for what, count in counts.items():
                new = count - self._seen.get((target, what), 0)
                if what.startswith(DROPPED) and new:
                    self._seen[target, what] = count
                    reason = what.removeprefix(DROPPED)
                    self._observer.event("not captured", target, f"{new} answers: {reason}")
