"""A writer that is killed at any moment loses no line that was written, and leaves no half one."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import slipway
from slipway.capture.counts import Counts
from slipway.capture.keeper import Keeper
from slipway.capture.location import CaptureLocation
from slipway.capture.storage.spool import JOURNAL
from tests.capture.exchanges import KEEP_ALL, exchange, read_all

KILLS = 5
# keeps requests as fast as it can, and prints the id of each once it is written
PROGRAM = """
import sys
from pathlib import Path
from slipway.capture.counts import Counts
from slipway.capture.keeper import FileLimits, Keeper
from slipway.capture.location import CaptureLocation
from tests.capture.exchanges import KEEP_ALL, exchange

keeper = Keeper(CaptureLocation(folder=Path(sys.argv[1])), Counts(), FileLimits(bytes=60_000))
targets = [f"m{number}_1.0.0.tar.gz" for number in range(5)]
rules = dict.fromkeys(targets, KEEP_ALL)
for number in range(1_000_000):
    batch = [exchange(target=targets[(number + n) % 5]) for n in range(int(sys.argv[2]))]
    keeper.keep_all(batch, rules)
    for sent in batch:
        print(sent.event_id, flush=True)
"""


def run_and_kill(folder: Path, after: int, batch: int = 1) -> set[str]:
    """Kill the program once it has written ``after`` requests, ``batch`` at a time; return all ids
    that it printed."""
    root = Path(slipway.__file__).parent.parent
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), str(batch)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{root}:{Path(__file__).parents[2]}"},
    )
    assert process.stdout is not None
    printed: list[bytes] = []
    for _ in range(after):
        printed.append(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    printed += process.stdout.read().splitlines(keepends=True)
    process.wait()
    return {line.decode().strip() for line in printed if line.endswith(b"\n")}


def assert_complete(folder: Path) -> None:
    """No file under its final name has half a line."""
    for path in folder.glob("local/**/*.jsonl"):
        data = path.read_bytes()
        assert data.endswith(b"\n"), path
        for line in data.splitlines():
            json.loads(line)


@pytest.mark.parametrize("batch", [1, 50])
def test_after_kills_every_written_request_is_there_once(
    location: CaptureLocation, batch: int
) -> None:
    folder = location.folder
    assert folder is not None
    written: set[str] = set()
    choice = random.Random(14)
    for number in range(KILLS):
        written |= run_and_kill(folder, choice.randrange(1, 400), batch)
        assert_complete(folder)
        if number % 4 == 0:  # before anybody recovered it
            ids = [request.event_id for request in read_all(location)]
            assert len(ids) == len(set(ids)) and set(ids) >= written
    Keeper(location, Counts()).close(1)
    assert not list(folder.glob(f"**/*{JOURNAL}"))
    assert_complete(folder)
    ids = [request.event_id for request in read_all(location)]
    assert len(ids) == len(set(ids))
    assert set(ids) >= written
    # killed between the write and the print: at most one batch of each process
    assert len(ids) - len(written) <= KILLS * batch


def test_a_half_line_at_the_end_of_a_journal_is_left_out_and_counted(
    location: CaptureLocation, caplog: pytest.LogCaptureFixture
) -> None:
    folder = location.folder
    assert folder is not None
    run_and_kill(folder, 3)
    [journal] = folder.glob(f".spool/*/*{JOURNAL}")
    before = len(read_all(location))
    with journal.open("ab") as file:
        file.write(b'{"captureData": {"endpointInput": ')
    assert len(read_all(location)) == before
    Keeper(location, Counts()).close(1)
    assert "34 bytes of requests that were being written are left out" in caplog.text
    assert len(read_all(location)) == before


def test_a_recovery_that_is_cut_off_is_repeated(
    location: CaptureLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slipway.capture.storage.sink import FolderSink

    folder = location.folder
    assert folder is not None
    written = run_and_kill(folder, 40)
    real = FolderSink.deliver
    delivered: list[str] = []

    def fail_at_the_third(self: FolderSink, path: Path, key: str) -> None:
        if len(delivered) == 2:
            raise OSError(28, "No space left on device")
        delivered.append(key)
        real(self, path, key)

    with monkeypatch.context() as patch:
        patch.setattr(FolderSink, "deliver", fail_at_the_third)
        Keeper(location, Counts()).close(1)
    assert len(delivered) == 2
    ids = [request.event_id for request in read_all(location)]
    assert len(ids) == len(set(ids)) and set(ids) >= written
    Keeper(location, Counts()).close(1)
    again = [request.event_id for request in read_all(location)]
    assert sorted(again) == sorted(ids)


def test_a_writer_that_lives_is_not_recovered(location: CaptureLocation) -> None:
    one, another = Keeper(location, Counts()), Keeper(location, Counts())
    one.keep(exchange(), KEEP_ALL)
    Keeper(location, Counts()).close(1)
    another.keep(exchange(), KEEP_ALL)
    assert len(read_all(location)) == 2
    one.close(1)
    another.close(1)
    assert len(read_all(location)) == 2


def test_a_reader_sees_every_request_once_while_files_are_completed(
    location: CaptureLocation,
) -> None:
    from slipway.capture.keeper import FileLimits

    keeper = Keeper(location, Counts(), FileLimits(bytes=3000))
    ended = threading.Event()
    written = 0

    def keep() -> None:
        nonlocal written
        for _ in range(400):
            keeper.keep(exchange(), KEEP_ALL)
            written += 1
        ended.set()

    thread = threading.Thread(target=keep)
    thread.start()
    reads = 0
    while not ended.is_set() or reads == 0:
        at_least = written
        ids = [request.event_id for request in read_all(location)]
        assert len(ids) == len(set(ids))
        assert len(ids) >= at_least
        reads += 1
        time.sleep(0)
    thread.join()
    keeper.close(1)
    assert len(read_all(location)) == 400
