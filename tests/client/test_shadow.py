"""Jobs in the background are run or dropped, and never block the caller."""

from __future__ import annotations

import threading

import pytest

from slipway.client.shadow import ShadowQueue


def test_jobs_are_run_and_close_waits_for_them() -> None:
    shadows = ShadowQueue()
    done: list[int] = []
    assert all(shadows.offer(lambda n=n: done.append(n)) for n in range(10))  # type: ignore[misc]
    shadows.close()
    assert sorted(done) == list(range(10))
    assert not shadows.offer(lambda: done.append(99))


def test_a_job_that_does_not_fit_in_the_queue_is_refused_at_once() -> None:
    shadows = ShadowQueue(threads=1, length=2)
    started, resume = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        resume.wait()

    assert shadows.offer(slow)
    started.wait()
    assert [shadows.offer(lambda: None) for _ in range(4)] == [True, True, False, False]
    resume.set()
    shadows.close()


def test_a_job_that_fails_is_logged_and_its_thread_continues(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shadows = ShadowQueue(threads=1)
    done: list[int] = []
    shadows.offer(lambda: [][0])
    shadows.offer(lambda: done.append(1))
    shadows.close()
    assert done == [1]
    assert "IndexError" in caplog.text


def test_without_a_job_there_is_no_thread() -> None:
    before = threading.active_count()
    shadows = ShadowQueue()
    assert threading.active_count() == before
    shadows.close()
