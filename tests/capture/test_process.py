"""A server's capturing process: what is handed over is written, and what is not is counted."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import slipway
from slipway.capture.exchange import Exchange
from slipway.capture.location import CaptureLocation
from slipway.capture.process import capture_process, worker
from slipway.capture.process import frame as frames
from slipway.capture.process.capture_process import BATCH_S, CaptureProcess
from slipway.capture.process.frame import Frame, read_frame, write_frame
from slipway.capture.read import read_captured
from slipway.capture.record import CapturedRequest
from slipway.capture.sampling import is_sampled
from slipway.capture.writer import QueueLimits
from slipway.errors import SlipwayError
from slipway.model.capture_rules import CaptureRules, TensorRule

TARGET = "m_1.0.0.tar.gz"
LIBRARY = str(Path(slipway.__file__).parent.parent)
RULES = CaptureRules()


def exchange(number: int, size: int = 1, target: str = TARGET) -> Exchange:
    """Request and answer of one tensor each, whose values say which request it was."""
    values = ",".join([str(number)] * size)

    def body(side: str) -> bytes:
        return (
            f'{{"{side}":[{{"name":"{side[0]}","datatype":"INT64","shape":[{size}],'
            f'"data":[{values}]}}]}}'
        ).encode()

    json = "application/json"
    return Exchange(
        f"event-{number}",
        time.time(),
        "e",
        "v",
        target,
        body("inputs"),
        json,
        body("outputs"),
        json,
    )


def captured(folder: Path) -> list[CapturedRequest]:
    since = datetime.now(UTC) - timedelta(days=1)
    records = list(read_captured(CaptureLocation(folder=folder), since=since))
    for record in records:
        number = int(record.event_id.removeprefix("event-"))
        assert set(record.inputs["i"].tolist()) == set(record.outputs["o"].tolist()) == {number}
    return records


def numbers(folder: Path) -> list[int]:
    return sorted(int(record.event_id.removeprefix("event-")) for record in captured(folder))


def opened(
    folder: Path,
    rules: Callable[[str], CaptureRules | None] = lambda target: RULES,
    sampling: float = 1.0,
    limits: QueueLimits | None = None,
) -> closing[CaptureProcess]:
    return closing(
        CaptureProcess("e", CaptureLocation(folder=folder), rules, sampling=sampling, limits=limits)
    )


FEW = st.sampled_from(["", "a", "é", "x/y; z=1"])  # what exchanges share, or do not


@given(
    st.lists(
        st.tuples(st.binary(max_size=300), st.binary(max_size=300), FEW, FEW, FEW), max_size=20
    ),
    st.integers(0, 600),
)
def test_what_is_read_from_a_pipe_is_what_was_written(
    offered: list[tuple[bytes, bytes, str, str, str]], inline: int
) -> None:
    sent = Frame(
        [
            Exchange(f"é{n}", 1.5 + n, "e", "v", target, a, kind, b, "x/z", "shadow", called)
            for n, (a, b, target, kind, called) in enumerate(offered)
        ],
        {"t": {"sample": 0.5}},
        {"t": {"offered": 1}},
    )
    before, frames.MOST_INLINE = frames.MOST_INLINE, inline
    reading, writing = os.pipe()
    try:
        write_frame(writing, sent)
        write_frame(writing, Frame([], {}, {}))
        os.close(writing)
        assert read_frame(reading) == sent
        assert read_frame(reading) == Frame([], {}, {})
        assert read_frame(reading) is None
    finally:
        frames.MOST_INLINE = before
        os.close(reading)


@pytest.mark.parametrize("cut", [1, 15, 17, 100])
def test_a_frame_that_was_cut_off_is_none(cut: int) -> None:
    reading, writing = os.pipe()
    write_frame(writing, Frame([exchange(1)], {}, {}))
    data = os.read(reading, 1 << 16)
    os.write(writing, data[:-cut])
    os.close(writing)
    assert read_frame(reading) is None
    os.close(reading)


def test_everything_that_is_offered_is_written_once(tmp_path: Path) -> None:
    with opened(tmp_path) as process:
        for number in range(2000):
            # some are larger than what is copied into a frame's header
            assert process.offer(exchange(number, size=40_000 if number % 400 == 0 else 3))
    assert numbers(tmp_path) == list(range(2000))
    assert process.counts() == {TARGET: {"offered": 2000, "written": 2000}}


def test_frames_and_reports_that_fill_both_pipes_are_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # if each side waited for the other to read, nothing would end here
    monkeypatch.setattr(worker, "PIPE", 4096)
    targets = [f"m{number:0100}_1.0.0.tar.gz" for number in range(1000)]
    with opened(tmp_path) as process:
        for number in range(3000):
            assert process.offer(exchange(number, target=targets[number % 1000]))
        assert process.flush(60)
    assert process.counts() == {target: {"offered": 3, "written": 3} for target in targets}


def test_a_server_that_is_asked_nothing_is_not_woken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken = threading.Event()
    with opened(tmp_path) as process:
        process.offer(exchange(0))
        assert process.flush()
        monkeypatch.setattr(capture_process, "IDLE_S", 3600.0)
        time.sleep(2 * BATCH_S + 1.0)  # the wait that has begun
        monkeypatch.setattr(process, "_settle", woken.set)
        assert not woken.wait(4 * BATCH_S)
        process.offer(exchange(1))
        assert woken.wait(30)
        monkeypatch.undo()
    assert numbers(tmp_path) == [0, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's idle priority")
def test_the_process_runs_where_nobody_else_wants_to(tmp_path: Path) -> None:
    with opened(tmp_path) as process:
        process.offer(exchange(0))
        assert process.flush()  # it has begun its work
        assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19


def test_a_share_is_that_of_the_server_times_that_of_the_model(tmp_path: Path) -> None:
    with opened(tmp_path, lambda target: CaptureRules(sample=0.5), sampling=0.5) as process:
        for number in range(200):
            process.offer(exchange(number))
    sampled = [number for number in range(200) if is_sampled(f"event-{number}", 0.25)]
    assert numbers(tmp_path) == sampled
    counts = process.counts()[TARGET]
    assert (counts["offered"], counts["unsampled"]) == (200, 200 - len(sampled))


def test_a_redacted_tensor_does_not_reach_the_disk(tmp_path: Path) -> None:
    rules = CaptureRules(tensors={"i": TensorRule("drop")})
    with opened(tmp_path, lambda target: rules) as process:
        process.offer(exchange(123456789))
    text = b"".join(path.read_bytes() for path in tmp_path.rglob("*.jsonl"))
    assert text.count(b"123456789") == 2  # in the id and in the output
    assert b"drop" in text


def test_without_rules_nothing_is_captured(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def find(target: str) -> CaptureRules | None:
        if target == "broken_1.0.0.tar.gz":
            raise SlipwayError("the record is damaged")
        return None if target == "unknown_1.0.0.tar.gz" else RULES

    with opened(tmp_path, find) as process:
        for number, name in enumerate(("broken", "m", "unknown", "m")):
            process.offer(exchange(number, target=f"{name}_1.0.0.tar.gz"))
    assert numbers(tmp_path) == [1, 3]
    for name in ("broken", "unknown"):
        assert process.counts()[f"{name}_1.0.0.tar.gz"]["dropped.unknown_rules"] == 1
    assert "the record is damaged" in caplog.text and "has no record" in caplog.text


def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    with opened(tmp_path, limits=QueueLimits(requests=5)) as process:
        taken = [process.offer(exchange(number)) for number in range(20)]
    counts = process.counts()[TARGET]
    assert taken.count(True) == counts["written"] == len(numbers(tmp_path)) >= 5
    assert counts["dropped.queue_full"] == 20 - counts["written"] > 0


def test_what_is_offered_after_the_end_is_dropped_and_counted(tmp_path: Path) -> None:
    with opened(tmp_path) as process:
        process.offer(exchange(0))
    assert not process.offer(exchange(1))
    assert process.counts()[TARGET] == {"offered": 2, "written": 1, "dropped.closed": 1}


def test_a_location_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SlipwayError, match="cannot be written") as caught:
        opened(tmp_path / "file" / "captures")
    assert "--capture" in (caught.value.fix or "")


def test_a_process_that_was_killed_is_replaced_and_its_requests_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with opened(tmp_path) as process:
        for number in range(300):
            process.offer(exchange(number))
            if number % 100 == 50:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.002)
        assert process.flush(30)
        process.offer(exchange(1000))
    written = numbers(tmp_path)
    counts = process.counts()[TARGET]
    assert len(set(written)) == len(written) and 1000 in written
    # one that is written, and was not reported before the kill, is counted as dropped
    lost = 301 - len(written)
    assert lost <= counts.get("dropped.process_ended", 0) <= 301 - counts["written"]
    assert "another one is started" in caplog.text


SERVER = """
import os, signal, sys, time
from pathlib import Path
from slipway.capture.location import CaptureLocation
from slipway.capture.process.capture_process import BATCH_S, CaptureProcess
from slipway.model.capture_rules import CaptureRules
from tests.capture.test_process import exchange

location = CaptureLocation(folder=Path(sys.argv[1]))
process = CaptureProcess("e", location, lambda target: CaptureRules())
for number in range(500):
    process.offer(exchange(number))
while process.counts()["m_1.0.0.tar.gz"].get("written", 0) < 500:
    process.offer(exchange(number := number + 1))
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_server_has_handed_over_is_written(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", SERVER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{LIBRARY}:{root}"},
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while any(tmp_path.glob(".spool/*/*")) and time.monotonic() < deadline:
        time.sleep(0.05)  # the process ends by itself
    written = numbers(tmp_path)
    assert written == list(range(len(written))) and len(written) >= 500
