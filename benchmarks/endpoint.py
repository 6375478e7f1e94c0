"""Measure what the local endpoint adds to the server behind it, with the same requests."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks import load, result
from benchmarks.context import BenchmarkContext
from benchmarks.load import Load
from benchmarks.result import Report, Row
from slipway.catalog.keys import artifact
from slipway.endpoint import serving
from slipway.endpoint.endpoint import Endpoint
from slipway.server.client import TARGET, Client
from slipway.triton import kserve
from slipway.triton.datatypes import Array
from tests import fixture_models

CLIENTS = (1, 16)
PHOTOGRAPH = "tests/cases/photograph/photo.jpg"
SAMPLE, TRIVIAL = "screen_detection_0.tar.gz", "adder_0.tar.gz"
TITLES = {
    SAMPLE: "Endpoint, the sample model's photograph",
    TRIVIAL: "Endpoint, a model that adds eight numbers",
}
PATH = "/endpoints/local/invocations"
GONE_S = 10.0


@dataclass(frozen=True)
class Request:
    """A target model and the request sent to it."""

    target: str
    body: bytes
    content_type: str


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure one server directly and through its endpoint, then first answers."""
    photograph = (context.model.path / PHOTOGRAPH).read_bytes()
    numbers = np.ones((1, 4), np.float32)
    requests = [
        build_request(SAMPLE, {"IMAGE": np.array([[photograph]], dtype=np.object_)}),
        build_request(TRIVIAL, {"A": numbers, "B": numbers}),
    ]
    store = context.work / "store"
    adder = fixture_models.copy("adder", context.work)
    fixture_models.pack(adder, store / artifact("staging", TRIVIAL))
    for number in range(context.repeats(5)):
        os.link(context.artifact, store / artifact("staging", f"screen_detection_{number}.tar.gz"))
    with _start_endpoint(context, store, cache="enabled") as (port, endpoint):
        reports = [_warm(context, port, endpoint, request) for request in requests]
    with _start_endpoint(context, store, cache="disabled") as (port, endpoint):
        return [*reports, _cold(context, port, endpoint, requests[0])]


def build_request(target: str, inputs: dict[str, Array]) -> Request:
    """Return the request with ``inputs``."""
    return Request(target, *kserve.encode(inputs))


@contextmanager
def _start_endpoint(
    context: BenchmarkContext, store: Path, cache: Literal["enabled", "disabled"]
) -> Iterator[tuple[int, Endpoint]]:
    """Start an endpoint in this process and yield its port."""
    settings = replace(context.settings, root=context.work)
    configured = replace(settings.endpoint("local"), store=str(store), cache=cache)
    with serving.serve_in_thread(settings, [configured], isolated=False) as local:
        yield int(local.url.rpartition(":")[2]), local.endpoints["local"]


def _warm(context: BenchmarkContext, port: int, endpoint: Endpoint, request: Request) -> Report:
    invoke(port, request)
    server = endpoint.container.server
    places = {
        "direct": (server.port, f"/models/{server.model_hash(request.target)}/invoke"),
        "endpoint": (port, PATH),
    }
    written = {name: context.work / f"{name}.request" for name in places}
    for name, (_, path) in places.items():
        headers = {TARGET: request.target}
        written[name].write_bytes(load.request(path, request.body, request.content_type, headers))
    length, warm_up = (1.0, 0.5) if context.quick else (3.0, 0.5)
    runs: dict[tuple[str, int], list[Load]] = {}
    for _ in range(context.repeats(7)):
        for clients in CLIENTS:
            for name, (at, _) in places.items():
                measured = load.run(at, clients, length, warm_up, written[name])
                runs.setdefault((name, clients), []).append(measured)
    rows: list[Row] = []
    for clients in CLIENTS:
        rows += _compared(runs["endpoint", clients], runs["direct", clients], clients, request)
    return Report(TITLES[request.target], "Triton's SageMaker port itself", rows)


def _compared(ours: list[Load], theirs: list[Load], clients: int, request: Request) -> list[Row]:
    who = f"{clients} client{'s' if clients > 1 else ''}"
    judged = request.target == SAMPLE
    rate, p50, p99 = (
        [statistics.median(getattr(run, name) for run in runs) for runs in (ours, theirs)]
        for name in ("rate", "p50", "p99")
    )
    show, least = result.a_second, 0.85 if judged and clients > 1 else None
    most = 1.5 if judged and clients == 1 else None
    return [
        result.compared(f"{who}: requests", rate[0], rate[1], show, at_least=least),
        result.compared(f"{who}: p50", p50[0], p50[1], result.milliseconds, at_most=most),
        result.compared(f"{who}: p99", p99[0], p99[1], result.milliseconds),
    ]


def _cold(context: BenchmarkContext, port: int, endpoint: Endpoint, request: Request) -> Report:
    """Measure first answers; each target is unloaded before the next measurement."""
    server = endpoint.container.server
    times: dict[str, list[float]] = {}

    def direct(target: str, fresh: bool) -> None:
        if fresh:
            server.load(target, context.artifact)
        else:
            server.load_extracted(target)
        server.client.invoke_raw(
            server.model_hash(target), target, request.body, request.content_type
        )

    for number in range(context.repeats(5)):
        first_request = replace(request, target=f"screen_detection_{number}.tar.gz")
        other = f"direct_{number}.tar.gz"
        for what, fresh in (("not on the disk", True), ("on the disk", False)):
            times.setdefault(f"endpoint {what}", []).append(
                _timed(partial(invoke, port, first_request))
            )
            _await_unloaded(endpoint)
            times.setdefault(f"direct {what}", []).append(_timed(partial(direct, other, fresh)))
            server.unload(other)
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = [
        result.compared(
            what, medians[f"endpoint {what}"], medians[f"direct {what}"], result.seconds
        )
        for what in ("not on the disk", "on the disk")
    ]
    return Report("Endpoint, the sample model's first answer", "load and invoke on Triton", rows)


def _timed(action: partial[None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def invoke(port: int, request: Request) -> None:
    """Send one request.

    Raises:
        RuntimeError: its answer is not 200.
    """
    client = Client(port)
    headers = {TARGET: request.target, "Content-Type": request.content_type}
    answer = client.call("POST", PATH, request.body, headers)
    client.close()
    if answer.status != 200:
        raise RuntimeError(f"the endpoint answered {answer.status}: {answer.body!r}")


def _await_unloaded(endpoint: Endpoint) -> None:
    end = time.monotonic() + GONE_S
    while endpoint.models.table and time.monotonic() < end:
        time.sleep(0.01)
