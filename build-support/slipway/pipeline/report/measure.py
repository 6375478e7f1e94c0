"""How a candidate performs on a real Triton, compared with production's release.

A machine's speed varies: the two are measured alternately.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from slipway.errors import SlipwayError
from slipway.loadtest.compare import MIN_ROUNDS, Comparison, compare
from slipway.loadtest.latencies import Latencies, summarize_latencies
from slipway.model.interface import blank_request
from slipway.pipeline.report.outputs import Outputs, compare_outputs
from slipway.server.client import InferenceError, RejectedError, ServerGoneError
from slipway.server.server import Server
from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton import kserve

LOADS = 3  # of each artifact
SECONDS = 6.0  # for the latencies of a model
ROUNDS = 40
LARGEST_BLOCK = 100  # requests
BUSY = 2  # processes per processor, in the last minute

type Request = tuple[bytes, str]
"""A body and its content type."""


@dataclass(frozen=True)
class Loads:
    """Seconds of each load: unpacking the artifact, and loading it into the server."""

    candidate: tuple[float, ...]
    served: tuple[float, ...]

    @property
    def medians(self) -> tuple[float, float | None]:
        """Return the candidate's and production's."""
        return median(self.candidate), median(self.served) if self.served else None


@dataclass(frozen=True)
class Latency:
    """In seconds, of sequential requests. ``compared`` is production first and the candidate
    second, ``None`` without production; ``asked`` are the golden cases, or a blank request."""

    asked: tuple[str, ...]
    candidate: Latencies
    served: Latencies | None
    compared: Comparison | None


@dataclass(frozen=True)
class TritonMeasurement:
    """``latency`` is ``None`` if both answer no case, ``outputs`` without production or golden
    cases. ``notes`` say what the machine or the models prevented."""

    loads: Loads
    latency: Latency | None
    outputs: Outputs | None
    notes: tuple[str, ...]


def measure(
    server: Server, folder: Path, candidate: Path, served: Path | None, seconds: float
) -> TritonMeasurement:
    """Load both alternately, compare their answers, then measure both alternately.

    Raises:
        SlipwayError: the candidate does not load, or a golden case is malformed.
    """
    name = folder.resolve().name
    artifacts = {f"{name}-candidate.tar.gz": candidate}
    notes: list[str] = []
    if served is not None:
        artifacts[f"{name}-production.tar.gz"] = served
    try:
        taken, lowered = _loads(server, artifacts, notes)
        notes += [f"without a GPU, {line}" for line in lowered]
        versions = server.adapted_numpy(next(iter(artifacts)))
        notes += [f"the server's Python stub is adapted to numpy {version}" for version in versions]
        notes += map(str, server.stand_ins(next(iter(artifacts))))
        models = {target: Model(server, target) for target in taken}
        loads = Loads(*(tuple(times) for times in [*taken.values(), []][:2]))
        cases = golden.cases(folder)
        loaded = list(models.values())
        outputs = (
            compare_outputs(loaded[0], loaded[1], cases) if len(loaded) == 2 and cases else None
        )
        latency = _latency(loaded, cases, seconds, notes)
        return TritonMeasurement(loads, latency, outputs, tuple(notes))
    finally:
        for target in artifacts:
            # a server that died has nothing loaded, and is replaced
            with contextlib.suppress(ServerGoneError, RejectedError):
                if server.is_loaded(target):
                    server.unload(target)


def _loads(
    server: Server, artifacts: Mapping[str, Path], notes: list[str]
) -> tuple[dict[str, list[float]], tuple[str, ...]]:
    """Return the times of each target's loads; at the end, all are loaded. Production's may fail:
    an old release may not load on the current server."""
    taken: dict[str, list[float]] = {target: [] for target in artifacts}
    lowered: tuple[str, ...] = ()
    order = list(artifacts)
    for _ in range(LOADS):
        for target in [target for target in order if target in taken]:
            if taken[target]:
                server.unload(target)
            began = time.perf_counter()
            try:
                changed = server.load(target, artifacts[target])
            except SlipwayError as error:
                if target == next(iter(artifacts)):
                    raise
                notes.append(f"production's release does not load here: {error.what}")
                del taken[target]
                continue
            taken[target].append(time.perf_counter() - began)
            lowered = changed or lowered
        order.reverse()
    return taken, lowered


def _latency(
    models: Sequence[Model], cases: Sequence[Path], seconds: float, notes: list[str]
) -> Latency | None:
    asked: dict[str, list[Request]] = {}
    for case in cases:
        inputs, parameters = golden.inputs(case), golden.parameters(case)
        requests = [_encode_if_answered(model, inputs, parameters) for model in models]
        if all(requests):
            asked[case.name] = [request for request in requests if request]
    if not asked:
        requests = [
            _encode_if_answered(model, blank_request(model.interface), {}) for model in models
        ]
        if not all(requests):
            notes.append("no latencies: both answer no request without an error")
            return None
        asked["blank request"] = [request for request in requests if request]
    rounds = _rounds(models, list(asked.values()), seconds)
    running, cores = os.getloadavg()[0], os.cpu_count() or 1
    if running > BUSY * cores:
        notes.append(
            f"the machine was busy with other work, {running:.0f} processes on"
            f" {cores} processors: the intervals are wider than necessary"
        )
    flat = [[taken for block in side for taken in block] for side in rounds]
    return Latency(
        tuple(asked),
        summarize_latencies(flat[0]),
        summarize_latencies(flat[1]) if len(flat) == 2 else None,
        compare(rounds[1], rounds[0]) if len(rounds) == 2 else None,
    )


def _encode_if_answered(
    model: Model, inputs: Mapping[str, object], parameters: Mapping[str, object]
) -> Request | None:
    """Return the encoded request, ``None`` if the model answers it with an error: the time of an
    error says nothing about the model."""
    try:
        arrays = model.arrays(inputs)
        model.server.invoke(model.target, arrays, parameters)
    except (InferenceError, SlipwayError):
        return None
    return kserve.encode(arrays, parameters=parameters)


def _rounds(
    models: Sequence[Model], asked: Sequence[Sequence[Request]], seconds: float
) -> list[list[list[float]]]:
    """Return, for each model and round, the times of a block: all requests, repeated."""
    once = sum(_time_requests(model, asked, which, 1)[0] for which, model in enumerate(models))
    rounds = ROUNDS if once * ROUNDS <= seconds else MIN_ROUNDS
    times = int(seconds / rounds / once) if once else 1
    times = max(1, min(times, LARGEST_BLOCK // len(asked)))
    times_of_model: list[list[list[float]]] = [[] for _ in models]
    random = np.random.default_rng(0)
    for _ in range(rounds):
        for which in random.permutation(len(models)):
            times_of_model[int(which)].append(
                _time_requests(models[int(which)], asked, int(which), times)[1]
            )
    return times_of_model


def _time_requests(
    model: Model, asked: Sequence[Sequence[Request]], which: int, times: int
) -> tuple[float, list[float]]:
    """Return the seconds in total and of each request. The first request of a block meets cold
    caches, and is sent before the measurement."""
    client, loaded = model.server.client, model.server.model_hash(model.target)
    requests = [of_models[which] for of_models in asked]
    client.invoke_raw(loaded, model.target, *requests[0])
    taken = []
    for body, content_type in requests * times:
        began = time.perf_counter()
        client.invoke_raw(loaded, model.target, body, content_type)
        taken.append(time.perf_counter() - began)
    return sum(taken), taken
