"""The server dies, hangs, or loses a model's process: it is replaced, and nothing else is lost."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.endpoint.conftest import Opener
from tests.endpoint.shelf import Shelf, Up, until


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that ask beside the test's own."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


def server(running: Up) -> psutil.Process:
    """The process of tritonserver."""
    supervisor = psutil.Process(running.inside.container.server.supervisor)
    return supervisor.children()[0]


def test_a_killed_server_fails_what_is_in_flight_clearly_and_serves_the_next(
    up: Opener, shelf: Shelf, pool: ThreadPoolExecutor
) -> None:
    slow, other = shelf.put(1, answer_when=shelf.gate("go")), shelf.put(2)
    with up() as running:
        running.ask(other)
        asked = [pool.submit(running.ask, slow) for _ in range(3)]
        until(lambda: running.inside.container.in_flight == 3)
        server(running).kill()
        for one in asked:
            with pytest.raises(running.errors.ModelError, match="server ended while it answered"):
                one.result()
        shelf.gate("go").touch()
        assert running.release(other) == 2
        assert running.release(slow) == 1
        assert running.inside.container.generation == 2
        (event,) = [e for e in running.inside.observer.events if e.kind == "restart"]
        assert event.what == "the Triton server ended by signal 9 (SIGKILL)"
        # what was extracted was there still
        assert len(running.events("download")) == 2


def test_a_load_under_way_is_made_again_by_the_next_server(
    up: Opener, shelf: Shelf, pool: ThreadPoolExecutor
) -> None:
    target = shelf.put(1, notes=shelf.notes, load_when=shelf.gate("go"))
    with up() as running:
        asked = pool.submit(running.release, target)
        until(lambda: shelf.loads() == [1])
        server(running).kill()
        until(lambda: shelf.loads() == [1, 1])
        shelf.gate("go").touch()
        assert asked.result() == 1


def test_a_server_that_hangs_is_replaced(
    up: Opener, shelf: Shelf, pool: ThreadPoolExecutor
) -> None:
    target = shelf.put(1, answer_when=shelf.gate("go"))
    with up(ping_s=0.2) as running:
        asked = pool.submit(running.ask, target)
        until(lambda: running.inside.container.in_flight == 1)
        server(running).send_signal(signal.SIGSTOP)
        with pytest.raises(running.errors.ModelError, match="server ended while it answered"):
            asked.result()
        shelf.gate("go").touch()
        assert running.release(target) == 1
        (event,) = [e for e in running.inside.observer.events if e.kind == "restart"]
        assert "hung: no answer to a ping" in event.what


def test_a_failed_load_is_no_hang(up: Opener, shelf: Shelf) -> None:
    shelf.gate("full").touch()
    good, bad = shelf.put(1), shelf.put(2, no_memory_while=shelf.gate("full"))
    with up(ping_s=0.05) as running:
        for _ in range(3):
            with pytest.raises(running.errors.ModelError, match="MemoryError"):
                running.ask(bad)
            assert running.release(good) == 1
        assert running.inside.container.generation == 1


def test_a_models_dead_process_costs_a_restart_and_the_model_answers_again(
    up: Opener, shelf: Shelf
) -> None:
    fragile, other = shelf.put(1), shelf.put(2)
    with up() as running:
        running.ask(other)
        with pytest.raises(running.errors.ModelError, match="is not healthy"):
            running.ask(fragile, np.full(1, -2, np.float32))
        until(lambda: running.inside.container.generation == 2)
        assert running.release(fragile) == 1
        assert running.release(other) == 2
        (event,) = [e for e in running.inside.observer.events if e.kind == "restart"]
        assert repr(fragile) in event.what


def test_a_model_that_dies_again_and_again_does_not_take_the_others_with_it_each_time(
    up: Opener, shelf: Shelf
) -> None:
    fragile, other = shelf.put(1), shelf.put(2)
    with up() as running:
        deaths = 6
        for _ in range(deaths):
            with pytest.raises(running.errors.ModelError):
                running.ask(fragile, np.full(1, -2, np.float32))
            assert running.release(other) == 2
        assert running.inside.container.generation - 1 < deaths


def test_requests_under_way_are_answered_before_a_dead_process_costs_the_server(
    up: Opener, shelf: Shelf, pool: ThreadPoolExecutor
) -> None:
    slow, fragile = shelf.put(1, answer_when=shelf.gate("go")), shelf.put(2)
    with up() as running:
        asked = pool.submit(running.release, slow)
        until(lambda: running.inside.container.in_flight == 1)
        with pytest.raises(running.errors.ModelError):
            running.ask(fragile, np.full(1, -2, np.float32))
        until(lambda: not running.inside.container.is_ready)
        shelf.gate("go").touch()
        assert asked.result() == 1
        assert running.release(fragile) == 2


def test_a_server_that_cannot_start_again_is_tried_again(
    up: Opener,
    shelf: Shelf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pool: ThreadPoolExecutor,
) -> None:
    target = shelf.put(1)
    broken = tmp_path / "bin" / "tritonserver"
    broken.parent.mkdir()
    with up(not_ready_s=0.5) as running:
        until(lambda: _answers(running, target))
        broken.write_text("#!/bin/sh\necho the disk is on fire\nexit 1\n", encoding="utf-8")
        broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
        server(running).kill()
        until(lambda: len(running.events("restart")) >= 2)
        with pytest.raises(
            (running.errors.ServiceUnavailable, running.errors.ModelNotReadyException)
        ):
            running.ask(target)
        said = [e.what for e in running.inside.observer.events if e.kind == "restart"]
        assert "the disk is on fire" in said[-1]
        monkeypatch.undo()
        until(lambda: _answers(running, target))


def _answers(running: Up, target: str) -> bool:
    try:
        return running.release(target) == 1
    except (running.errors.ServiceUnavailable, running.errors.ModelNotReadyException):
        return False
