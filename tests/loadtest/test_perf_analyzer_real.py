"""The real perf_analyzer against a real Triton with HTTP on. Skipped where the program is not."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.loadtest import perf_analyzer
from slipway.model import interface
from slipway.server import command, source
from slipway.settings import Settings
from tests import fixture_models

try:
    PROGRAM, ABSENT = perf_analyzer.find(), ""
except SlipwayError as absent:
    PROGRAM, ABSENT = Path(), f"{absent.what}; {absent.fix}"
# each test, not the module: Pants takes a module without tests for a failure
pytestmark = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository as Triton wants it, with a model of numbers and one of strings."""
    folder, copies = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("copies")
    for name in ("adder", "identity"):
        for config in fixture_models.copy(name, copies).glob("*/config.pbtxt"):
            text = config.read_text(encoding="utf-8").replace("KIND_GPU", "KIND_CPU")
            config.write_text(text, encoding="utf-8")
            (config.parent / "1").mkdir(exist_ok=True)
            config.parent.rename(folder / config.parent.name)
    return folder


@pytest.fixture(scope="module")
def url(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with HTTP on, as an endpoint's never has it."""
    settings = Settings(root=models)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    flags = [f"--model-repository={models}", "--http-address=127.0.0.1", f"--http-port={port}"]
    flags += ["--allow-grpc=false", "--allow-metrics=false", "--allow-sagemaker=false"]
    flags += ["--disable-auto-complete-config", "--exit-on-error=false"]
    temporary = tmp_path_factory.mktemp("temporary")
    made = command.native_command(source.find_server(settings), settings.python, flags, temporary, {})
    with (temporary / "log").open("wb") as log:
        process = subprocess.Popen(made.argv, env=made.env, stdout=log, stderr=log)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/live").close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(autouse=True)
def _busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run beside others: windows that differ are no failure here."""
    monkeypatch.setattr(perf_analyzer, "STABILITY", 999)


def test_numbers_are_measured(url: str, models: Path) -> None:
    declared = interface.Interface(
        64, {name: interface.Tensor("FP32", (4,)) for name in ("A", "B")}, {}
    )
    arrays = {name: np.ones((2, 4), np.float32) for name in ("A", "B")}
    found = perf_analyzer.measure(PROGRAM, url, "adder", declared, [arrays], [1, 2], 3)
    assert [each.concurrency for each in found] == [1, 2]
    assert all(0 < each.p50 <= each.p90 <= each.p99 and each.achieved > 0 for each in found)


def test_strings_are_measured(url: str, models: Path) -> None:
    declared = interface.Interface(
        8, {"TEXT": interface.Tensor("BYTES", (1,)), "NUMBERS": interface.Tensor("FP32", (-1,))}, {}
    )
    arrays = {
        "TEXT": np.array([["h\u00e9".encode()]], dtype=object),
        "NUMBERS": np.array([[1, 2]], np.float32),
    }
    (found,) = perf_analyzer.measure(PROGRAM, url, "identity_pipeline", declared, [arrays], [1], 3)
    assert found.achieved > 0


def test_an_unknown_model_is_told(url: str, models: Path) -> None:
    declared = interface.Interface(0, {"X": interface.Tensor("FP32", (1,))}, {})
    arrays = [{"X": np.zeros(1, np.float32)}]
    with pytest.raises(SlipwayError, match="unknown model: 'none'"):
        perf_analyzer.measure(PROGRAM, url, "none", declared, arrays, [1], 3)
