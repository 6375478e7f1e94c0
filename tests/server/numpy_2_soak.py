"""Requests of every type to models with numpy 2, and the memory that their processes take.

    PYTHONPATH=build-support:. python -m tests.server.numpy_2_soak --requests 1000000

Installs ``--numpy VERSION`` from the package index, or the locked one, and sends requests from
several clients: one of a hundred to two instances of a model with every type, in every layout and
with calls between models; the others to a model with a text and numbers. Each answer is compared
with what was sent. Exits with 1 on a wrong answer, or if a process grew by more than ``GROWTH``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from slipway.environment import packages
from slipway.server import triton
from slipway.server.server import Server
from slipway.settings import Settings
from tests import every_type, fixture_models

LOCK = fixture_models.MODELS / "arrow_table" / "requirements.lock"
STUB = "triton_python_backend_stub"
EVERY_TYPE, IDENTITY = "every_type.tar.gz", "identity.tar.gz"
CLIENTS, INSTANCES, RARE, PORTION = 4, 2, 100, 10_000
# of a million requests, 8 bytes each; numpy 1's processes grow by hundreds of kilobytes, too
GROWTH = 8 << 20


@dataclass(frozen=True)
class Soak:
    """``wrong`` answers of ``requests``, and the bytes by which each process grew meanwhile."""

    requests: int
    seconds: float
    wrong: list[str]
    growth: list[int]

    @property
    def failed(self) -> bool:
        """Return whether an answer was wrong, or a process grew."""
        return bool(self.wrong) or not self.growth or max(self.growth) > GROWTH


def install(folder: Path, settings: Settings, version: str | None = None) -> Path:
    """Install the locked packages, or ``version`` of numpy alone, and return where they are."""
    if version is None:
        packages.install(LOCK, settings, "linux-64", folder, lock=LOCK)
        return folder / "lib" / f"python{settings.python}" / "site-packages"
    words = ["pip", "install", "--quiet", "--target", str(folder), "--python", sys.executable]
    words += ["--no-deps", "--only-binary", ":all:", f"numpy=={version}"]
    packages.run_uv([*words], settings, what=f"installing numpy {version}", cwd=folder.parent)
    return folder


def every_form(server: Server) -> list[str]:
    """Send every layout and way to call with three rows, one and none; return what was wrong."""
    wrong = []
    for form in every_type.FORMS:
        for call in every_type.CALLS:
            for rows in (3, 1, 0):
                if rows == 0 and form in ("broadcast", "dlpack"):
                    continue  # nothing to broadcast, and DLPack has no empty tensors here
                inputs = every_type.request(rows, form=form, call=call)
                found = every_type.differences(inputs, server.invoke(EVERY_TYPE, inputs))
                wrong += [f"{form}, {call}, {rows} rows: {line}" for line in found]
    return wrong


def soak(server: Server, requests: int) -> Soak:
    """Send ``requests`` from several clients; the growth is counted after the first tenth."""
    kinds = [(form, call) for form in every_type.FORMS for call in every_type.CALLS]
    rare = [every_type.request(form=form, call=call) for form, call in kinds]
    texts = np.array([[b"a\0\xff" * 7], ["h\u00e9"]], dtype=object)
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    wrong: list[str] = []

    def send(number: int) -> None:
        if number % RARE == 0:
            inputs = rare[number // RARE % len(rare)]
            wrong.extend(every_type.differences(inputs, server.invoke(EVERY_TYPE, inputs)))
            return
        sent = numbers + number % 1000
        outputs = server.invoke(IDENTITY, {"TEXT": texts, "NUMBERS": sent})
        expected = [[b"a\0\xff" * 7], ["h\u00e9".encode()]]
        if outputs["TEXT_BACK"].tolist() != expected or not (outputs["NUMBERS_BACK"] == sent).all():
            wrong.append(f"request {number}: {outputs}")

    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        warm = requests // 10
        _drain(pool.map(send, range(warm)))
        before = _memory(server)
        # in portions: a pool keeps everything that it was given
        for start in range(warm, requests, PORTION):
            _drain(pool.map(send, range(start, min(start + PORTION, requests))))
        after = _memory(server)
    growth = [after[pid] - size for pid, size in before.items() if pid in after]
    return Soak(requests, time.monotonic() - began, wrong, growth)


@contextmanager
def serving(settings: Settings, folder: Path, site: Path) -> Iterator[Server]:
    """Run a server that has loaded both models with the packages in ``site``."""
    with triton.start(settings, log_file=folder / "triton.log") as server:
        server.load(EVERY_TYPE, every_type.copy(folder, site, instances=INSTANCES))
        server.load(IDENTITY, fixture_models.copy("identity", folder, site))
        yield server


def _drain(results: Iterator[None]) -> None:
    for _ in results:
        pass


def _memory(server: Server) -> dict[int, int]:
    """Return the private bytes of each of the server's Python processes."""
    processes = psutil.Process(server.supervisor).children(recursive=True)
    return {
        process.pid: process.memory_full_info().uss
        for process in processes
        if process.cmdline()[:1] and Path(process.cmdline()[0]).name == STUB
    }


def main() -> int:
    """Run the soak, and print its figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--numpy", metavar="VERSION", help="of the package index; else the locked")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slipway-soak-") as temporary:
        folder = Path(temporary)
        settings = Settings(root=folder)
        site = install(folder / "packages", settings, arguments.numpy)
        with serving(settings, folder, site) as server:
            print(server.describe(EVERY_TYPE), flush=True)
            wrong = every_form(server)
            result = soak(server, arguments.requests)
    wrong += result.wrong
    rate = result.requests / result.seconds
    print(f"{result.requests} requests in {result.seconds:.0f} s, {rate:.0f}/s; {len(wrong)} wrong")
    print("growth in kB:", ", ".join(f"{growth / 1024:.0f}" for growth in result.growth))
    print("\n".join(wrong[:10]))
    return int(result.failed or bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
