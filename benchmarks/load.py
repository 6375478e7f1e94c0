"""Generate closed-loop load: N open connections, each of which sends its next request on an answer.

It runs as its own process, ``python -m benchmarks.load``, so that it shares no interpreter with the
measured code. Requests are built in advance and answers only counted, to leave CPU to the server.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop

HOST = "127.0.0.1"
LEAST = 10  # answers, for a median and a 99th percentile
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Load:
    """Result of a run. Times in milliseconds; ``cpu`` is the generator's own time per request."""

    rate: float
    p50: float
    p99: float
    cpu: float


def request(path: str, body: bytes, content_type: str, headers: dict[str, str]) -> bytes:
    """Return the bytes of an HTTP/1.1 POST."""
    fields = {
        "Host": HOST,
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        **headers,
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(port: int, clients: int, seconds: float, warm_up: float, request: Path) -> Load:
    """Load the server on ``port`` with the request in a file, from another process.

    Raises:
        subprocess.CalledProcessError: an answer was not 200, or a connection broke.
    """
    values = {"port": port, "clients": clients, "seconds": seconds, "warm_up": warm_up}
    order = json.dumps(values | {"request": str(request)})
    process = subprocess.run(
        [sys.executable, "-m", __name__, order], stdout=subprocess.PIPE, check=True, text=True
    )
    return Load(**json.loads(process.stdout))


class _Client(asyncio.Protocol):
    """A connection that sends its requests one after the other."""

    def __init__(self, request: bytes, latencies: list[float], ended: asyncio.Event) -> None:
        self._request = request
        self._latencies = latencies
        self._ended = ended
        self._answer = bytearray()
        self._length = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._length < 0:
            head, separator, _ = self._answer.partition(b"\r\n\r\n")
            if not separator:
                return
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                sys.exit(f"the server answered {bytes(self._answer)!r}")
            fields = head.lower().partition(b"content-length:")[2]
            self._length = len(head) + 4 + int(fields.split(b"\r\n", 1)[0])
        if len(self._answer) >= self._length:
            self._latencies.append(time.perf_counter() - self._sent)
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._ended.set()

    def _send(self) -> None:
        self._answer.clear()
        self._length = -1
        self._sent = time.perf_counter()
        self._transport.write(self._request)


async def _load(port: int, clients: int, seconds: float, warm_up: float, request: str) -> Load:
    body = Path(request).read_bytes()
    latencies: list[float] = []
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for _ in range(clients):
        await loop.create_connection(lambda: _Client(body, latencies, ended), HOST, port)
    await _wait(warm_up, ended)
    latencies.clear()
    cpu, start = time.process_time(), time.perf_counter()
    await _wait(seconds, ended)
    while len(latencies) < LEAST and time.perf_counter() - start < PATIENCE_S:
        await _wait(seconds, ended)  # a slow or busy machine
    cpu, wall = time.process_time() - cpu, time.perf_counter() - start
    if len(latencies) < LEAST:
        sys.exit(f"{len(latencies)} answers in {wall:.0f} s: too few to measure")
    cut = statistics.quantiles(latencies, n=100, method="inclusive")
    count = len(latencies)
    return Load(count / wall, 1000 * cut[49], 1000 * cut[98], 1000 * cpu / count)


async def _wait(seconds: float, ended: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(ended.wait(), seconds)
    except TimeoutError:
        return
    sys.exit("the server closed a connection")


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_load(**json.loads(sys.argv[1]))))))
