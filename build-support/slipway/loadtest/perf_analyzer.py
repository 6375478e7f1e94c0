"""Triton's ``perf_analyzer``, against a server whose HTTP port is open.

It speaks KServe's HTTP and gRPC, which a server in SageMaker mode has switched off, and neither
SageMaker's paths nor its header for the target model: it cannot ask an endpoint, local or in AWS.
What it measures is Triton alone, by clients that wait. Its CSV:
https://github.com/triton-inference-server/perf_analyzer/blob/main/docs/measurements_metrics.md
"""

from __future__ import annotations

import base64
import csv
import json
import shutil
import struct
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.process import run
from slipway.triton.datatypes import Array

PROGRAM = "perf_analyzer"
MICROSECOND = 1e-6
# percent by which its windows may differ; its own 10 is seldom reached on a machine that does more
STABILITY = 25
FIX = (
    "where it did not settle, give it more --seconds; where it lacks libb64, install Debian's"
    " libb64-0d; where it knows no such model, see --perf-analyzer-model"
)


@dataclass(frozen=True)
class Measured:
    """What it measured with ``concurrency`` waiting clients: answers a second, latencies in s."""

    concurrency: int
    achieved: float
    p50: float
    p90: float
    p99: float


def find() -> Path:
    """The program: on PATH, or among the scripts of this Python, where tritonclient's wheel puts it.

    Raises:
        SlipwayError: it is not here.
    """
    scripts = Path(sysconfig.get_path("scripts")) / PROGRAM
    found = shutil.which(PROGRAM) or (str(scripts) if scripts.is_file() else None)
    if found is None:
        raise SlipwayError(
            f"no {PROGRAM} on this machine",
            fix="take it from NVIDIA's SDK container (nvcr.io/nvidia/tritonserver:24.10-py3-sdk) or"
            " from tritonclient 2.50.0, the last wheel that has it; or leave --perf-analyzer out:"
            " slipway's own generator needs nothing",
        )
    return Path(found)


def measure(
    program: Path,
    url: str,
    model: str,
    interface: Interface,
    inputs: Sequence[Mapping[str, Array]],
    concurrency: Sequence[int],
    seconds: float,
) -> list[Measured]:
    """Measure ``model`` on the server at ``url`` (``http://127.0.0.1:8000``), each number of
    clients for about ``seconds``. It sends single rows of ``inputs``.

    Raises:
        SlipwayError: the program cannot run or does not settle, or the server has no
            such model.
    """
    address = _address(url)
    with tempfile.TemporaryDirectory() as folder:
        data, report = Path(folder, "data.json"), Path(folder, "report.csv")
        data.write_text(json.dumps({"data": rows(interface, inputs)}), encoding="utf-8")
        found: list[Measured] = []
        for clients in concurrency:
            report.unlink(missing_ok=True)
            argv = [str(program), "-m", model, "-u", address, "-i", "http"]
            argv += ["--concurrency-range", str(clients), "--input-data", str(data)]
            # three windows that agree are what it takes for stable
            argv += ["-p", str(max(100, round(seconds * 1000 / 3))), "-s", str(STABILITY)]
            argv += ["--percentile", "99", "-f", str(report)]
            what = f"measuring with {clients} waiting clients"
            run(argv, what=what, fix=FIX)
            if not report.is_file():
                raise SlipwayError(f"{what}: {PROGRAM} gave no report", fix=FIX)
            found += parse(report.read_text(encoding="utf-8"))
        return found


def rows(interface: Interface, inputs: Sequence[Mapping[str, Array]]) -> list[dict[str, Any]]:
    """The rows of ``inputs`` as its JSON has them: without the batch, which it adds itself.

    Raises:
        SlipwayError: there are none.
    """
    made = []
    for arrays in inputs:
        count = len(next(iter(arrays.values()))) if interface.batches else 1
        for row in range(count):
            made.append(
                {
                    name: _tensor(array[row] if interface.batches else array)
                    for name, array in arrays.items()
                }
            )
    if not made:
        raise SlipwayError(f"{PROGRAM} needs inputs", fix="give them with --json")
    return made


def parse(text: str) -> list[Measured]:
    """What its CSV says.

    Raises:
        SlipwayError: it is none of a concurrency sweep.
    """
    try:
        return [
            Measured(
                concurrency=int(row["Concurrency"]),
                achieved=float(row["Inferences/Second"]),
                p50=float(row["p50 latency"]) * MICROSECOND,
                p90=float(row["p90 latency"]) * MICROSECOND,
                p99=float(row["p99 latency"]) * MICROSECOND,
            )
            for row in csv.DictReader(text.splitlines())
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise SlipwayError(
            f"not a CSV of {PROGRAM}'s concurrency sweep: {error!r}",
            fix="use the release that tritonclient 2.50.0 has, or leave --perf-analyzer out",
        ) from error


def _tensor(array: Array) -> dict[str, Any]:
    array = array if array.shape else array.reshape(1)
    if array.dtype == object:
        # Triton's form of strings: four bytes of length before each
        parts = [struct.pack("<I", len(element)) + element for element in array.ravel()]
        content = b"".join(parts)
    else:
        content = array.tobytes()
    return {"b64": base64.b64encode(content).decode(), "shape": list(array.shape)}


def _address(url: str) -> str:
    parts = urlsplit(url if "//" in url else f"//{url}")
    try:
        good = parts.scheme in ("", "http") and parts.hostname and parts.port
    except ValueError:
        good = None
    if not good:
        raise SlipwayError(
            f"--perf-analyzer {url!r} is no address of Triton's HTTP port",
            fix="such as --perf-analyzer http://127.0.0.1:8000",
        )
    return f"{parts.hostname}:{parts.port}"
