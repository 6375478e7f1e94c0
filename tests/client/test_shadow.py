"""Jobs beside: run, dropped, never in the way."""

from __future__ import annotations

import threading

import pytest

from slipway.client.shadow import Beside


def test_jobs_are_run_and_close_waits_for_them() -> None:
    beside = Beside()
    done: list[int] = []
    assert all(beside.offer(lambda n=n: done.append(n)) for n in range(10))  # type: ignore[misc]
    beside.close()
    assert sorted(done) == list(range(10))
    assert not beside.offer(lambda: done.append(99))


def test_what_does_not_fit_is_refused_at_once() -> None:
    beside = Beside(threads=1, waiting=2)
    started, goes_on = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        goes_on.wait()

    assert beside.offer(slow)
    started.wait()
    assert [beside.offer(lambda: None) for _ in range(4)] == [True, True, False, False]
    goes_on.set()
    beside.close()


def test_a_job_that_fails_ends_no_thread_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    beside = Beside(threads=1)
    done: list[int] = []
    beside.offer(lambda: [][0])
    beside.offer(lambda: done.append(1))
    beside.close()
    assert done == [1]
    assert "IndexError" in caplog.text


def test_without_a_job_there_is_no_thread() -> None:
    before = threading.active_count()
    beside = Beside()
    assert threading.active_count() == before
    beside.close()
