"""Tasks in forks give what they give in one process, in the same order."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial

import pytest

from slipway.forked import WORTHWHILE, start_tasks

TASKS = 3 * WORTHWHILE

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="no forks here"
)


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the threads that other tests in this process have left."""
    monkeypatch.setattr("threading.active_count", lambda: 1)


def _process(number: int) -> tuple[int, int]:
    return number, os.getpid()


def _fail_in(number: int, parent: int) -> int:
    if number == 100:
        raise ValueError(f"in the parent: {os.getpid() == parent}")
    return number


def _die_in_fork(number: int, parent: int) -> int:
    if number == 100 and os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def _results[T](task: Callable[[int], T], count: int = TASKS) -> list[T]:
    with start_tasks([partial(task, number) for number in range(count)]) as results:
        return [result() for result in results]


def test_many_tasks_run_in_other_processes_and_keep_their_order() -> None:
    results = _results(_process)
    assert [number for number, _ in results] == list(range(TASKS))
    assert {process for _, process in results} - {os.getpid()}


def test_few_tasks_run_in_this_process() -> None:
    results = _results(_process, WORTHWHILE - 1)
    assert {process for _, process in results} == {os.getpid()}


def test_an_exception_is_raised_in_this_process() -> None:
    with pytest.raises(ValueError, match="in the parent: True"):
        _results(partial(_fail_in, parent=os.getpid()))


def test_the_tasks_of_a_killed_fork_run_in_this_process() -> None:
    assert _results(partial(_die_in_fork, parent=os.getpid())) == list(range(TASKS))
