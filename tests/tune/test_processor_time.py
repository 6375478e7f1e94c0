"""The processor time of a server's processes is counted while some of them end."""

from __future__ import annotations

import os
import subprocess
import sys

from slipway.tune.processor_time import ProcessorTime

# uses processors, says so, and ends with its input
BUSY = "import sys; sum(range(3_000_000)); print(flush=True); sys.stdin.read()"


def busy_process() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_what_a_process_used_stays_counted_when_it_has_ended() -> None:
    counted = ProcessorTime(os.getpid())
    before = counted.seconds()
    with busy_process():
        during = counted.seconds()
    assert before < during <= counted.seconds()


def test_processes_that_ended_before_are_not_counted() -> None:
    with busy_process():
        first = ProcessorTime(os.getpid()).seconds()
    assert ProcessorTime(os.getpid()).seconds() < first
