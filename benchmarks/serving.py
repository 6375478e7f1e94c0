"""Measure the served model under load: Triton against a FastAPI wrapper and BentoML."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import load, processes, result
from benchmarks.context import BenchmarkContext
from benchmarks.load import HOST, Load
from benchmarks.result import Report, Row
from slipway.breakdown.measure import Breakdown
from slipway.breakdown.measure import measure as break_down
from slipway.breakdown.processes import processor_seconds
from slipway.breakdown.table import rows as breakdown_rows
from slipway.server import triton
from slipway.server.client import TARGET
from slipway.server.free_port import reserved_port
from slipway.triton import kserve

CLIENTS = (1, 8)
SIZE = (640, 480)
WORKERS = "2"
TARGET_MODEL = "screen_detection_1.0.0.tar.gz"
OUTPUTS = ("SCORE", "LABEL")
CELLS = ("waits", "copies", "computes", "processor")  # in milliseconds
# see benchmarks/wrappers/predictor.py
PLAIN = "FastAPI, FP32 in Python"
TUNED = "FastAPI, tuned by hand"
SAME = "FastAPI, tuned, with the artifact's decoder"


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure throughput and latencies of a model behind three servers, and of a trivial model."""
    photograph = _photograph(context.model.path / "tests" / "cases" / "photograph" / "photo.jpg")
    plain = context.work / "photograph.request"
    plain.write_bytes(load.request("/predict", photograph, "image/jpeg", {}))
    runs: dict[tuple[str, int], list[Load]] = {}
    used: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as stack:
        places = {
            "Triton": stack.enter_context(_triton(context, photograph)),
            PLAIN: (stack.enter_context(_fastapi(context, "plain")), plain),
            TUNED: (stack.enter_context(_fastapi(context, "tuned")), plain),
            SAME: (stack.enter_context(_fastapi(context, "same")), plain),
            "BentoML": (stack.enter_context(_bentoml(context)), plain),
            "nothing": (stack.enter_context(_trivial(context)), plain),
        }
        length, warm_up = (1.0, 0.5) if context.quick else (5.0, 1.0)
        for _ in range(context.repeats(3)):
            for clients in CLIENTS:
                for name, (port, request) in places.items():
                    before = _processor_seconds()
                    measured = load.run(port, clients, length, warm_up, request)
                    runs.setdefault((name, clients), []).append(measured)
                    answers = measured.rate * (length + warm_up)
                    spent = 1000 * (_processor_seconds() - before) / answers
                    used.setdefault((name, clients), []).append(spent)
    median = {key: _median(loads) for key, loads in runs.items()}
    processor = {key: statistics.median(times) for key, times in used.items()}
    return [
        _report(median, processor, PLAIN, Aims(rate=1.45, p99=0.5, alone=1.3)),
        _report(median, processor, TUNED, Aims(rate=1.05)),
        _report(median, processor, SAME, Aims()),
        _report(median, processor, "BentoML", Aims()),
        _ceiling(median),
        *(_breakdown(found) for found in _broken_down(context, photograph)),
    ]


@dataclass(frozen=True)
class Aims:
    """What is to be reached: with 8 clients ``rate`` and ``p99``, ``alone`` the p50 of one."""

    rate: float | None = None
    p99: float | None = None
    alone: float | None = None


def _processor_seconds() -> float:
    """The time of all servers, of which only the measured one is busy; no ended process counts."""
    return sum(processor_seconds(os.getpid(), ()).values())


def _report(
    median: Mapping[tuple[str, int], Load],
    processor: Mapping[tuple[str, int], float],
    other: str,
    aims: Aims,
) -> Report:
    rows: list[Row] = []
    for clients in CLIENTS:
        ours, theirs = median["Triton", clients], median[other, clients]
        limited = clients == 8
        who = _who(clients)
        rows += [
            result.compared(
                f"{who}: requests",
                ours.rate,
                theirs.rate,
                result.a_second,
                at_least=aims.rate if limited else None,
            ),
            result.compared(
                f"{who}: p50",
                ours.p50,
                theirs.p50,
                result.milliseconds,
                at_most=None if limited else aims.alone,
            ),
            result.compared(
                f"{who}: p99",
                ours.p99,
                theirs.p99,
                result.milliseconds,
                at_most=aims.p99 if limited else None,
            ),
            result.compared(
                f"{who}: processor time a request",
                processor["Triton", clients],
                processor[other, clients],
                result.milliseconds,
            ),
        ]
    return Report(f"Served model, {SIZE[0]}×{SIZE[1]} JPEG", f"{other}, {WORKERS} workers", rows)


def _broken_down(context: BenchmarkContext, photograph: bytes) -> list[Breakdown]:
    """As ``slipway breakdown`` does it, with the photograph of the other measurements."""
    image = np.array([[photograph]], dtype=np.object_)
    body, content_type = kserve.encode({"IMAGE": image}, as_json=OUTPUTS)
    with (
        reserved_port() as port,
        triton.start(context.settings, isolated=False, statistics_port=port) as server,
    ):
        server.load(TARGET_MODEL, context.artifact)
        name = server.model_hash(TARGET_MODEL)
        return [
            break_down(
                lambda: server.client.invoke_raw(name, TARGET_MODEL, body, content_type),
                clients=clients,
                requests=100 if context.quick else 2000,
                port=port,
                supervisor=server.supervisor,
                served=TARGET_MODEL,
                steps=context.model.composing,
            )
            for clients in CLIENTS
        ]


def _breakdown(found: Breakdown) -> Report:
    rows = [
        Row(part, ", ".join(f"{n} {what}" for n, what in zip(cells, CELLS, strict=True) if n))
        for part, *cells in breakdown_rows(found)
    ]
    rows.append(Row("the models", result.milliseconds(found.models)))
    rows.append(Row("waiting for their turn", result.milliseconds(found.waits)))
    rows.append(Row("the server", result.milliseconds(found.server)))
    who = _who(found.clients)
    return Report(f"A request's {found.latency:.1f} ms with {who}: slipway breakdown", "", rows)


def _ceiling(median: dict[tuple[str, int], Load]) -> Report:
    rows = [
        Row(f"{_who(clients)}: requests", result.a_second(median["nothing", clients].rate))
        for clients in CLIENTS
    ]
    used = median["Triton", 8].cpu * median["Triton", 8].rate / 1000
    rows.append(Row("its share of one core while it loads Triton", f"{100 * used:.1f} %"))
    return Report("The load generator's ceiling, against a server that does nothing", "", rows)


def _who(clients: int) -> str:
    return f"{clients} client{'s' if clients > 1 else ''}"


def _median(loads: list[Load]) -> Load:
    return Load(
        rate=statistics.median(run.rate for run in loads),
        p50=statistics.median(run.p50 for run in loads),
        p99=statistics.median(run.p99 for run in loads),
        cpu=statistics.median(run.cpu for run in loads),
    )


def _photograph(case: Path) -> bytes:
    with Image.open(case) as image:
        out = BytesIO()
        image.resize(SIZE, Image.Resampling.LANCZOS).save(out, "JPEG", quality=90)
        return out.getvalue()


@contextmanager
def _triton(context: BenchmarkContext, photograph: bytes) -> Iterator[tuple[int, Path]]:
    """Yield the port of a Triton that serves the artifact, and the file with the request."""
    image = np.array([[photograph]], dtype=np.object_)
    body, content_type = kserve.encode({"IMAGE": image}, as_json=OUTPUTS)
    with triton.start(context.settings, isolated=False) as server:
        server.load(TARGET_MODEL, context.artifact)
        path = f"/models/{server.model_hash(TARGET_MODEL)}/invoke"
        request = context.work / "triton.request"
        request.write_bytes(load.request(path, body, content_type, {TARGET: TARGET_MODEL}))
        yield server.port, request


def _fastapi(context: BenchmarkContext, wrapper: str) -> AbstractContextManager[int]:
    app = "benchmarks.wrappers.fastapi_app:app"
    options = ["--workers", WORKERS, "--log-level", "warning", "--no-access-log"]
    arguments = ["uvicorn", app, "--host", HOST, "--port", "{port}", *options]
    return _server(context, arguments, wrapper)


def _bentoml(context: BenchmarkContext) -> AbstractContextManager[int]:
    service = "benchmarks.wrappers.bentoml_service:ScreenDetection"
    arguments = ["bentoml", "serve", service, "--host", HOST, "--port", "{port}"]
    return _server(context, arguments, "same")


def _trivial(context: BenchmarkContext) -> AbstractContextManager[int]:
    return _server(context, ["benchmarks.wrappers.trivial", "{port}"])


def _server(
    context: BenchmarkContext, arguments: list[str], wrapper: str = ""
) -> AbstractContextManager[int]:
    variables = {
        "BENCHMARK_MODEL": str(context.unpacked),
        "BENCHMARK_SOURCE": str(context.model.path),
        "BENCHMARK_WRAPPER": wrapper,
        "BENTOML_HOME": str(context.work / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    return processes.server(arguments, context.work / f"{arguments[0]}-{wrapper}.log", variables)
