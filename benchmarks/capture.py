"""Measure what capturing costs at the local endpoint: the same server with and without it.

The runs alternate: before each, the running endpoint is given another share to capture.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import endpoint as endpoints
from benchmarks import load, result
from benchmarks.context import BenchmarkContext
from benchmarks.endpoint import CLIENTS, PATH, PHOTOGRAPH, SAMPLE, TRIVIAL, Request
from benchmarks.load import Load
from benchmarks.result import Report, Row
from slipway.artifact.manifest import Manifest
from slipway.capture.location import CaptureLocation
from slipway.catalog import keys
from slipway.catalog.captured_models import rules_finder
from slipway.catalog.origin import Origin
from slipway.catalog.reader import CatalogReader
from slipway.catalog.record import Record
from slipway.endpoint import serving
from slipway.endpoint.capture import EndpointCapture
from slipway.endpoint.endpoint import Endpoint
from slipway.server.client import TARGET
from slipway.store.directory_reader import DirectoryReader
from slipway.store.stage import StageReader
from tests import fixture_models

SHARES = (0.01, 0.1, 1.0)
MOST = 1.03  # times a request's time without capture
TITLES = {
    SAMPLE: "Capture, the sample model's photograph",
    TRIVIAL: "Capture, a model that adds eight numbers",
}
SETTLED_S = 20.0


@dataclass(frozen=True)
class Run:
    """One run: its load, the endpoint's own processor time for each request in µs, that of its
    capturing process included, and of the answers that were sampled how many were ``written``."""

    load: Load
    cpu: float
    written: int
    dropped: int


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure a model that takes milliseconds and one that takes microseconds."""
    photograph = (context.model.path / PHOTOGRAPH).read_bytes()
    numbers = np.ones((1, 4), np.float32)
    requests = [
        endpoints.build_request(SAMPLE, {"IMAGE": np.array([[photograph]], dtype=np.object_)}),
        endpoints.build_request(TRIVIAL, {"A": numbers, "B": numbers}),
    ]
    store = context.work / "captured"
    adder = fixture_models.copy("adder", context.work / "capture")
    fixture_models.pack(adder, store / keys.artifact("staging", TRIVIAL))
    os.link(context.artifact, store / keys.artifact("staging", SAMPLE))
    for target in (SAMPLE, TRIVIAL):
        _record(store, target)
    with _start_endpoint(context, store) as (port, endpoint), ExitStack() as stack:
        captures = [stack.enter_context(_capture(context, store, share)) for share in SHARES]
        return [_compare(context, port, endpoint, captures, request) for request in requests]


@contextmanager
def _capture(context: BenchmarkContext, store: Path, share: float) -> Iterator[EndpointCapture]:
    find_rules = rules_finder(CatalogReader(StageReader(DirectoryReader(store), "staging")))
    location = CaptureLocation(folder=context.work / f"captured-{share}")
    with closing(EndpointCapture("local", location, find_rules, share)) as capture:
        yield capture


def microseconds(value: float) -> str:
    """Return for example ``120 µs``."""
    return f"{value:.0f} µs"


def _record(store: Path, target: str) -> None:
    """Record a release that is captured whole: without a record, nothing of it would be."""
    name = target.rpartition("_")[0]
    manifest = Manifest(name, "1.0.0", name, {}, {}, None, "")
    path = store / keys.record("staging", name, target)
    path.parent.mkdir(parents=True)
    with (store / keys.artifact("staging", target)).open("rb") as artifact:
        sha256 = hashlib.file_digest(artifact, "sha256").hexdigest()
    path.write_bytes(Record(manifest, target, sha256, "2026-01-01T00:00:00Z", Origin()).dump())


@contextmanager
def _start_endpoint(context: BenchmarkContext, store: Path) -> Iterator[tuple[int, Endpoint]]:
    """Start an endpoint in this process, and yield its port."""
    settings = replace(context.settings, root=context.work)
    configured = replace(settings.endpoint("local"), store=str(store))
    with serving.serve_in_thread(settings, [configured], isolated=False) as local:
        endpoint = local.endpoints["local"]
        assert isinstance(endpoint, Endpoint)
        yield int(local.url.rpartition(":")[2]), endpoint


def _compare(
    context: BenchmarkContext,
    port: int,
    endpoint: Endpoint,
    captures: Sequence[EndpointCapture],
    request: Request,
) -> Report:
    endpoints.invoke(port, request)
    written = context.work / "capture.request"
    headers = {TARGET: request.target}
    written.write_bytes(load.request(PATH, request.body, request.content_type, headers))
    length, warm_up = (1.0, 0.5) if context.quick else (3.0, 0.5)
    runs: dict[tuple[float, int], list[Run]] = {}
    orders = [(None, *captures), (*reversed(captures), None)]  # the first has no advantage
    for number in range(context.repeats(9)):
        for clients in CLIENTS:
            for capture in orders[number % 2]:
                endpoint.capture = capture
                run = _run(port, endpoint, capture, clients, (length, warm_up), written)
                runs.setdefault((capture.share if capture else 0.0, clients), []).append(run)
    rows = [
        row
        for clients in CLIENTS
        for share in SHARES
        for row in _rows(runs[share, clients], runs[0.0, clients], share, clients)
    ]
    return Report(TITLES[request.target], "the same endpoint without capture", rows)


def _run(
    port: int,
    endpoint: Endpoint,
    capture: EndpointCapture | None,
    clients: int,
    seconds: tuple[float, float],
    request: Path,
) -> Run:
    """Load the endpoint, and wait until what was captured is written: the next run must not pay
    for it."""
    before = _Usage.measure(endpoint, capture)
    measured = load.run(port, clients, *seconds, request)
    state, deadline = None, time.monotonic() + SETTLED_S
    while capture and capture.snapshot() != state and time.monotonic() < deadline:
        state = capture.snapshot()
        time.sleep(0.5)
    after = _Usage.measure(endpoint, capture)
    requests = after.requests - before.requests
    cpu = 1e6 * (after.cpu - before.cpu) / requests
    return Run(measured, cpu, after.written - before.written, after.dropped - before.dropped)


@dataclass(frozen=True)
class _Usage:
    """What was used so far: seconds of processors, and counts."""

    cpu: float
    requests: int
    written: int
    dropped: int

    @staticmethod
    def measure(endpoint: Endpoint, capture: EndpointCapture | None) -> _Usage:
        """Return it of this process, which has the endpoint, and of the capturing one."""
        requests = sum(each.invocations for each in endpoint.observer.statistics.values())
        cpu = time.process_time()
        if capture is None:
            return _Usage(cpu, requests, 0, 0)
        fields = Path(f"/proc/{capture.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        ticks = sum(map(int, fields.split()[11:13]))  # proc(5): utime, stime
        state = capture.snapshot()
        dropped = sum(state["dropped"].values())
        cpu += ticks / os.sysconf("SC_CLK_TCK")
        return _Usage(cpu, requests, state["written"], dropped)


def _rows(ours: list[Run], theirs: list[Run], share: float, clients: int) -> list[Row]:
    """Return the time of a request with one client, and requests a second with several; each is
    compared within its round, and the median of the rounds counts."""
    who = f"{clients} client{'s' if clients > 1 else ''}, {share:.0%}"
    pairs = [(a.load, b.load) for a, b in zip(ours, theirs, strict=True)]
    ratio = statistics.median(b.rate / a.rate for a, b in pairs)
    rate = [statistics.median(side[i].rate for side in pairs) for i in (0, 1)]
    p99 = [statistics.median(side[i].p99 for side in pairs) for i in (0, 1)]
    cpu = [statistics.median(run.cpu for run in runs) for runs in (ours, theirs)]
    taken = sum(run.written + run.dropped for run in ours)
    dropped = sum(run.dropped for run in ours)
    kept = f"{dropped / taken:.1%} dropped" if taken else "none sampled"
    return [
        Row(
            f"{who}: requests ({kept})",
            result.a_second(rate[0]),
            result.a_second(rate[1]),
            f"{ratio:.3f}× the time",
            f"≤ {MOST:g}×",
            ratio <= MOST,
        ),
        result.compared(f"{who}: the endpoint's processor time", cpu[0], cpu[1], microseconds),
        result.compared(f"{who}: p99", p99[0], p99[1], result.milliseconds),
    ]
