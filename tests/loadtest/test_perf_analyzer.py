"""Triton's perf_analyzer: what it is given, what it says. The CSV is a real one, of 2.50.0."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.loadtest import perf_analyzer
from slipway.model.interface import Interface, Tensor

FIXTURES = Path(__file__).parent / "fixtures"
BATCHED = Interface(8, {"TEXT": Tensor("BYTES", (1,)), "N": Tensor("FP32", (-1,))}, {})


def test_its_report_is_read() -> None:
    text = (FIXTURES / "perf_analyzer.csv").read_text(encoding="utf-8")
    (found,) = perf_analyzer.parse(text)
    assert (found.concurrency, found.achieved) == (2, 2816.77)
    assert (found.p50, found.p90, found.p99) == pytest.approx((669e-6, 902e-6, 1430e-6))


def test_a_report_of_another_kind_is_refused() -> None:
    step = (FIXTURES / "perf_analyzer_step.csv").read_text(encoding="utf-8")
    with pytest.raises(SlipwayError, match="p50 latency") as refused:
        perf_analyzer.parse(step)
    assert refused.value.fix


def test_rows_are_given_without_the_batch() -> None:
    arrays = {
        "TEXT": np.array([[b"ab"], [b""]], dtype=object),
        "N": np.array([[1, 2], [3, 4]], dtype=np.float32),
    }
    first, second = perf_analyzer.rows(BATCHED, [arrays])
    assert first == {
        # four bytes of length before each string
        "TEXT": {"b64": base64.b64encode(b"\2\0\0\0ab").decode(), "shape": [1]},
        "N": {"b64": "AACAPwAAAEA=", "shape": [2]},
    }
    assert base64.b64decode(second["TEXT"]["b64"]) == b"\0\0\0\0"


def test_a_model_without_batches_gets_whole_arrays() -> None:
    unbatched = Interface(0, {"X": Tensor("INT8", (2,))}, {})
    (row,) = perf_analyzer.rows(unbatched, [{"X": np.array([1, 2], dtype=np.int8)}])
    assert row == {"X": {"b64": "AQI=", "shape": [2]}}


def test_its_absence_is_told_with_where_it_can_be_had(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(SlipwayError, match="no perf_analyzer") as refused:
        perf_analyzer.find()
    assert "tritonclient 2.50.0" in str(refused.value.fix)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8000", "127.0.0.1", "http://x:port", "ftp://x:1"]
)
def test_an_address_that_it_cannot_ask_is_refused(url: str) -> None:
    with pytest.raises(SlipwayError, match="no address of Triton's HTTP port"):
        perf_analyzer.measure(Path("none"), url, "m", BATCHED, [], [1], 1)


def test_what_it_says_when_it_fails_is_told(tmp_path: Path) -> None:
    program = tmp_path / "perf_analyzer"
    program.write_text("#!/bin/sh\necho 'failed to get model metadata' >&2\nexit 99\n")
    program.chmod(0o755)
    arrays = {"X": np.zeros(2, dtype=np.int8)}
    unbatched = Interface(0, {"X": Tensor("INT8", (2,))}, {})
    with pytest.raises(SlipwayError, match="failed to get model metadata") as refused:
        perf_analyzer.measure(program, "http://127.0.0.1:1", "m", unbatched, [arrays], [1], 1)
    assert refused.value.fix
    program.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(SlipwayError, match="gave no report"):
        perf_analyzer.measure(program, "127.0.0.1:1", "m", unbatched, [arrays], [1], 1)
