"""Sizes of a lock's packages: exact, and read without downloading a wheel."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slipway.environment import lock_requirements, report_lock
from slipway.environment.locking.measure import measure
from slipway.environment.locking.report import LockReport
from slipway.environment.locking.resolver import DistributionFile, ResolvedPackage
from slipway.environment.locking.sizes import WheelSize, comments, read_sizes
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse

Write = Callable[..., Path]
MODULES = {f"shapes/part{n}.bin": hashlib.shake_128(b"%d" % n).digest(200_000) for n in range(20)}


@contextmanager
def index(folder: Path, *, ranges: bool = True) -> Iterator[tuple[str, list[int]]]:
    """Serve a folder, with parts of files or only whole ones; yield its URL and the bytes sent."""
    sent: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = (folder / self.path.rpartition("/")[2]).read_bytes()
            wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
            if ranges and wanted:
                if wanted[1]:
                    start, end = int(wanted[1]), int(wanted[2] or len(data) - 1)
                else:
                    start, end = max(0, len(data) - int(wanted[2])), len(data) - 1
                body = data[start : end + 1]
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
            else:
                body = data
                self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            sent.append(len(body))
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        server.server_close()


def resolved(url: str, wheel: Path, size: int | None) -> ResolvedPackage:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return ResolvedPackage("shapes", "1.0", DistributionFile(url, digest, size), None)


def test_a_wheel_on_an_index_is_measured_from_its_end_alone(
    wheelhouse: Wheelhouse, slipway_cache: Path
) -> None:
    wheel = wheelhouse.add("shapes", files=MODULES)
    members = zipfile.ZipFile(wheel).infolist()
    expected = WheelSize(wheel.stat().st_size, sum(m.file_size for m in members), len(members))
    with index(wheelhouse.folder) as (url, sent):
        package = resolved(f"{url}/{wheel.name}", wheel, None)
        assert measure([package]) == {"shapes": expected}
        assert sum(sent) < wheel.stat().st_size / 10
        count = len(sent)
        assert measure([package]) == {"shapes": expected}
        assert len(sent) == count, "a measured wheel is not asked for again"


def test_an_index_without_parts_of_files_leaves_the_unpacked_size_open(
    wheelhouse: Wheelhouse, slipway_cache: Path
) -> None:
    wheel = wheelhouse.add("shapes", files=MODULES)
    with index(wheelhouse.folder, ranges=False) as (url, _):
        package = resolved(f"{url}/{wheel.name}", wheel, 123)
        assert measure([package]) == {"shapes": WheelSize(123)}


def test_a_lock_holds_the_sizes_and_reports_them(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings, slipway_cache: Path
) -> None:
    wheelhouse.numpy()
    wheel = wheelhouse.add("shapes", files=MODULES)
    path = requirements("numpy<2", "shapes")
    lock = lock_requirements(path, settings)
    sizes = read_sizes(lock)
    assert sizes["shapes"].wheel == wheel.stat().st_size
    unpacked = sum(m.file_size for m in zipfile.ZipFile(wheel).infolist())
    assert sizes["shapes"].unpacked == unpacked and set(sizes) == {"numpy", "shapes"}
    before = lock.read_bytes()
    assert lock_requirements(path, settings).read_bytes() == before
    total, largest = report_lock(path, settings).lines()[:2]
    assert total == "2 packages: 4.01 MB to download, 4 MB unpacked"
    assert largest.startswith("largest: shapes 4 MB, numpy ")


@pytest.mark.parametrize(
    "size", [WheelSize(5), WheelSize(5, 7, 2), WheelSize(3 * 10**9, 10**10, 9)]
)
def test_a_size_is_read_as_it_was_written(size: WheelSize, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==1.26.4\n" + comments({"numpy": size}))
    assert read_sizes(lock) == {"numpy": size}


def report(*names: str, gpu: bool = False) -> str:
    sizes = {name: WheelSize(300_000_000, 400_000_000, 9) for name in names}
    return "\n".join(LockReport(sizes, len(sizes), (), (), gpu).lines())


def test_cuda_is_told_with_the_way_to_the_cpu_build() -> None:
    text = report("numpy", "xgboost", "nvidia-nccl-cu12")
    assert "300 MB of nvidia-nccl-cu12, which no CPU instance loads" in text
    assert "xgboost-cpu" in text
    assert 'torch-backend = "cpu"' in report("torch", "triton", "nvidia-cublas")
    assert 'exclude-dependencies = ["nvidia-nccl-cu12"]' in report("boost", "nvidia-nccl-cu12")


def test_a_model_that_asks_for_a_gpu_is_not_told_to_do_without() -> None:
    assert "CPU" not in report("torch", "nvidia-cublas", gpu=True)


def test_only_the_five_largest_are_listed() -> None:
    line = report(*"abcdefg").splitlines()[1]
    assert line.count("300 MB") == 5
