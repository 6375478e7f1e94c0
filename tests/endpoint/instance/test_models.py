"""Loading and evicting, in front of the real server."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psutil
import pytest

from slipway.endpoint import endpoint as engine
from slipway.endpoint.instance import loader, table, turns
from slipway.server import stalled_load
from tests.endpoint.conftest import Opener
from tests.endpoint.leftovers import commands
from tests.endpoint.shelf import Shelf, Up, until

type Pool = ThreadPoolExecutor


@pytest.fixture
def pool() -> Any:
    """Threads that ask beside the test's own."""
    with ThreadPoolExecutor(24) as threads:
        yield threads


def test_a_model_is_loaded_by_its_first_invocation_and_not_before(up: Opener, shelf: Shelf) -> None:
    first, _ = shelf.put(1, notes=shelf.notes), shelf.put(2, notes=shelf.notes)
    with up() as running:
        assert shelf.loads() == []
        assert running.release(first) == 1
        assert running.release(first) == 1
        assert shelf.loads() == [1]
        assert running.loaded() == [first]
        seen = running.inside.observer.statistics[first]
        assert (seen.invocations, seen.hits, seen.loads) == (2, 1, 1)


def test_twenty_first_invocations_share_one_download_and_one_load(
    up: Opener, shelf: Shelf, pool: Pool
) -> None:
    target = shelf.put(1, notes=shelf.notes, load_when=shelf.gate("go"))
    with up() as running:
        asked = [pool.submit(running.release, target) for _ in range(20)]
        until(lambda: _users(running, target) == 20)
        shelf.gate("go").touch()
        assert [one.result() for one in asked] == [1] * 20
        assert shelf.loads() == [1]
        assert running.events("download", "load") == [("download", target), ("load", target)]


def test_no_invocation_waits_for_the_load_of_another_model(
    up: Opener, shelf: Shelf, pool: Pool
) -> None:
    """Triton's thread that loads does nothing else, and each has several idle connections."""
    busy = shelf.put(1, answer_when=shelf.gate("answer"))
    slow = shelf.put(2, load_when=shelf.gate("load"))
    with up() as running:
        asked = [pool.submit(running.release, busy) for _ in range(24)]
        until(lambda: _users(running, busy) == 24)
        shelf.gate("answer").touch()
        assert [one.result() for one in asked] == [1] * 24
        shelf.gate("answer").unlink()
        load = pool.submit(running.release, slow)
        until(lambda: running.inside.container.controls)
        asked = [pool.submit(running.release, busy) for _ in range(23)]
        until(lambda: _users(running, busy) == 23)
        shelf.gate("answer").touch()
        assert [one.result() for one in asked] == [1] * 23
        assert not load.done()
        shelf.gate("load").touch()
        assert load.result() == 2


def test_the_least_recently_used_model_goes_first(up: Opener, shelf: Shelf) -> None:
    a, b, c = (shelf.put(number) for number in (1, 2, 3))
    with up(models=2) as running:
        for target in (a, b, a, c):
            running.ask(target)
        until(lambda: running.loaded() == [a, c])
        assert running.events("evict") == [("evict", b)]
        running.ask(a)
        running.ask(b)
        until(lambda: running.loaded() == [a, b])


def test_a_model_in_use_is_never_evicted(up: Opener, shelf: Shelf, pool: Pool) -> None:
    busy = shelf.put(1, answer_when=shelf.gate("answer"))
    others = [shelf.put(number) for number in (2, 3, 4)]
    with up(models=1) as running:
        asked = pool.submit(running.release, busy)
        until(lambda: _users(running, busy) == 1 and running.loaded() == [busy])
        for number, target in enumerate(others, 2):
            assert running.release(target) == number
        assert busy in running.loaded()
        assert ("evict", busy) not in running.events()
        shelf.gate("answer").touch()
        assert asked.result() == 1


def test_one_that_comes_waits_while_every_other_is_in_use(
    up: Opener, shelf: Shelf, pool: Pool
) -> None:
    a, b = (shelf.put(n, answer_when=shelf.gate(f"answer {n}")) for n in (1, 2))
    c = shelf.put(3, notes=shelf.notes)
    with up(models=1) as running:
        first = [pool.submit(running.release, target) for target in (a, b)]
        until(lambda: set(running.loaded()) == {a, b})
        third = pool.submit(running.release, c)
        until(lambda: _users(running, c) == 1 and c in running.inside.disk.extracted)
        assert shelf.loads() == [] and not third.done()
        shelf.gate("answer 1").touch()
        assert third.result() == 3
        shelf.gate("answer 2").touch()
        assert [one.result() for one in first] == [1, 2]


def test_more_memory_than_there_is_evicts(up: Opener, shelf: Shelf) -> None:
    a, b, c = (shelf.put(number, memory=60 << 20) for number in (1, 2, 3))
    with up() as running:
        running.ask(a)
        taken = running.inside.models.table[a].memory
        assert 60 << 20 < taken < 180 << 20
    with up(memory=int(2.5 * taken)) as running:
        running.ask(a)
        running.ask(b)
        running.ask(c)
        until(lambda: running.loaded() == [b, c])
        assert running.events("evict") == [("evict", a)]


def test_a_model_larger_than_the_memory_is_refused_and_evicts_nobody(
    up: Opener, shelf: Shelf
) -> None:
    a, large = shelf.put(1), shelf.put(2, memory=300 << 20)
    with up(memory=200 << 20) as running:
        running.ask(a)
        with pytest.raises(running.errors.ModelError, match="bytes of memory") as caught:
            running.ask(large)
        assert caught.value.response["OriginalStatusCode"] == 507
        assert running.loaded() == [a]
        assert running.events("evict", "restore") == []


def test_a_disk_that_is_full_loses_what_was_used_longest_ago(up: Opener, shelf: Shelf) -> None:
    a, b, c = (shelf.put(number) for number in (1, 2, 3))
    with up() as running:
        running.ask(a)
        size = running.inside.disk.extracted[a].size
    with up(disk=2 * size + 4096) as running:
        for target in (a, b, c):
            running.ask(target)
        assert set(running.inside.disk.extracted) == {b, c}
        assert running.inside.disk.used_bytes == 2 * size
        assert running.events("evict") == [("evict", a)]
        assert not running.inside.disk.folder(a).exists()
        assert running.release(a) == 1


def test_what_is_not_loaded_leaves_the_disk_before_what_is(up: Opener, shelf: Shelf) -> None:
    a, b, c = (shelf.put(number) for number in (1, 2, 3))
    with up() as running:
        running.ask(a)
        size = running.inside.disk.extracted[a].size
    with up(models=1, disk=2 * size + 4096) as running:
        for target in (a, b):
            running.ask(target)
        until(lambda: running.loaded() == [b])
        running.ask(c)
        assert set(running.inside.disk.extracted) == {b, c}


def test_an_artifact_larger_than_the_disk_is_refused_and_evicts_nobody(
    up: Opener, shelf: Shelf
) -> None:
    a = shelf.put(1)
    large = shelf.put(2, padding="x" * 400_000)
    with up(disk=300_000) as running:
        running.ask(a)
        with pytest.raises(running.errors.ModelError, match="No space left on device") as caught:
            running.ask(large)
        assert caught.value.response["OriginalStatusCode"] == 507
        assert running.loaded() == [a]
        assert running.events("evict", "restore") == []
        assert set(running.inside.disk.extracted) == {a}


def test_a_server_out_of_memory_evicts_and_tries_again(up: Opener, shelf: Shelf) -> None:
    a, b = shelf.put(1, notes=shelf.notes), shelf.put(2, notes=shelf.notes)
    c = shelf.put(3, notes=shelf.notes, no_memory_beside=1)
    with up() as running:
        for target in (a, b):
            running.ask(target)
        assert running.release(c) == 3
        assert running.loaded() == [b, c]
        assert running.events("evict") == [("evict", a)]


def test_no_healthy_model_stays_evicted_for_one_that_then_fails_to_load(
    up: Opener, shelf: Shelf
) -> None:
    a, b = shelf.put(1), shelf.put(2)
    shelf.gate("full").touch()
    never = shelf.put(3, no_memory_while=shelf.gate("full"))
    with up() as running:
        for target in (a, b):
            running.ask(target)
        with pytest.raises(running.errors.ModelError, match="MemoryError") as caught:
            running.ask(never)
        assert caught.value.response["OriginalStatusCode"] == 507
        until(lambda: set(running.loaded()) == {a, b})
        assert running.events("restore") == [("restore", a), ("restore", b)]
        # what was of no use is not done again for a while
        with pytest.raises(running.errors.ModelError, match="MemoryError"):
            running.ask(never)
        assert running.events("evict") == [("evict", a), ("evict", b)]
        shelf.gate("full").unlink()
        assert running.release(never) == 3


def test_a_model_that_fails_to_load_evicts_nobody(up: Opener, shelf: Shelf) -> None:
    a, b = shelf.put(1), shelf.put(2)
    broken = shelf.write("broken.tar.gz", shelf.packed(3).replace(b"\x1f", b"\0", 1))
    with up(models=2) as running:
        for target in (a, b):
            running.ask(target)
        for _ in range(3):
            with pytest.raises(running.errors.ValidationError, match="not a complete tar.gz"):
                running.ask(broken)
        assert running.loaded() == [a, b]
        assert running.events("evict", "unload", "restart") == []


def test_a_slow_load_is_not_ready_and_goes_on_until_a_later_invocation_finds_it(
    up: Opener, shelf: Shelf
) -> None:
    target = shelf.put(1, notes=shelf.notes, load_when=shelf.gate("go"))
    with up(not_ready_s=0.2) as running:
        for _ in range(2):
            with pytest.raises(running.errors.ModelNotReadyException) as caught:
                running.ask(target)
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        shelf.gate("go").touch()
        until(lambda: running.loaded() == [target])
        assert running.release(target) == 1
        assert shelf.loads() == [1]


def test_a_load_that_does_not_end_keeps_no_other_from_loading(
    up: Opener, shelf: Shelf, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TURN_S", 0.5)
    monkeypatch.setattr(table, "TURN_S", 0.5)
    target = shelf.put(1, notes=shelf.notes, load_when=shelf.gate("go"))
    first, other = shelf.put(2), shelf.put(3)
    with up(models=1) as running:
        assert running.release(first) == 2
        asked = pool.submit(running.release, target)
        until(lambda: shelf.loads() == [1])
        assert running.release(other) == 3
        assert not asked.done()
        shelf.gate("go").touch()
        assert asked.result() == 1


def test_a_load_that_never_ends_is_given_up_and_costs_no_server(up: Opener, shelf: Shelf) -> None:
    target = shelf.put(1, notes=shelf.notes, load_when=shelf.gate("go"))
    # long enough for the second time, whatever else this machine does
    with up(load_s=8.0) as running:
        with pytest.raises(running.errors.ModelError, match=r"not loaded in 8 s"):
            running.ask(target)
        shelf.gate("go").touch()
        assert running.release(target) == 1
        assert running.inside.container.generation == 1


def test_a_process_that_ends_before_triton_knows_it_fails_the_load_and_costs_no_server(
    up: Opener, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Triton itself would wait for it for ever
    monkeypatch.setattr(stalled_load, "UNNOTICED_S", 2.0)
    broken = shelf.write(
        "broken.tar.gz",
        shelf.changed(
            1, {"scripted/python_env/bin/activate": b"echo libfoo.so.1 is missing; exit 127"}
        ),
    )
    other = shelf.put(2)
    with up() as running:
        assert running.release(other) == 2
        with pytest.raises(running.errors.ModelError, match="ended before it answered") as caught:
            running.ask(broken)
        assert "libfoo.so.1 is missing" in str(caught.value)
        # the process that answered Triton in its place has ended with the load
        children = psutil.Process().children()
        assert not [line for line in commands(children) if stalled_load.REFUSING in line]
        assert caught.value.response["OriginalStatusCode"] == 400
        assert running.loaded() == [other]
        assert running.inside.container.generation == 1


def test_processes_that_stay_are_an_event_count_as_memory_and_cost_an_idle_server_its_place(
    up: Opener, shelf: Shelf, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHECK_S", 0.2)
    monkeypatch.setattr(loader, "STUBS_END_S", 0.5)
    leaving = shelf.put(1, leaves_a_process=True)
    slow, third = shelf.put(2, answer_when=shelf.gate("go")), shelf.put(3)
    with up(models=1) as running:
        assert running.release(leaving) == 1
        asked = pool.submit(running.release, slow)
        until(lambda: running.inside.container.in_flight == 1)
        until(lambda: running.events("leftover"))
        assert running.events("leftover") == [("leftover", leaving)]
        assert running.inside.models.table.leftover > 1 << 20
        # not while it is in use
        assert running.inside.container.generation == 1
        shelf.gate("go").touch()
        assert asked.result() == 2
        until(lambda: running.inside.container.generation == 2)
        assert running.release(third) == 3
        assert running.inside.leftover == {}
        (event,) = [e for e in running.inside.observer.events if e.kind == "restart"]
        assert repr(leaving) in event.what


def test_a_model_that_waits_for_room_says_so(up: Opener, shelf: Shelf, pool: Pool) -> None:
    busy = [shelf.put(n, answer_when=shelf.gate("go")) for n in (1, 2)]
    third = shelf.put(3)
    with up(models=1, not_ready_s=3.0) as running:
        asked = [pool.submit(running.release, target) for target in busy]
        until(lambda: running.inside.container.in_flight == 2)
        with pytest.raises(running.errors.ModelNotReadyException, match="waits for room") as caught:
            running.ask(third)
        assert "still being loaded" not in str(caught.value)
        shelf.gate("go").touch()
        assert [one.result() for one in asked] == [1, 2]
        until(lambda: running.release(third) == 3)


def test_an_answer_that_takes_too_long_is_a_model_error(
    up: Opener, shelf: Shelf, pool: Pool
) -> None:
    target = shelf.put(1, answer_when=shelf.gate("go"))
    with up(invocation_s=0.3) as running:
        with pytest.raises(running.errors.ModelError, match="timed out") as caught:
            running.ask(target)
        assert caught.value.response["OriginalStatusCode"] == 0
        shelf.gate("go").touch()
        until(lambda: _answers(running, target, 1))


def test_without_a_cache_a_model_and_its_files_go_after_its_invocation(
    up: Opener, shelf: Shelf, pool: Pool
) -> None:
    target = shelf.put(1, notes=shelf.notes)
    with up(cached=False) as running:
        for count in (1, 2):
            assert running.release(target) == 1
            until(lambda: running.loaded() == [] and not running.inside.models.table)
            assert shelf.loads() == [1] * count
        together = [pool.submit(running.release, target) for _ in range(8)]
        assert [one.result() for one in together] == [1] * 8
        until(lambda: not running.inside.models.table)
        # nothing stays on the disk, too: each load downloads the artifact again
        assert not running.inside.disk.extracted and not running.inside.disk.used_bytes
        assert len(running.events("download")) == len(shelf.loads()) >= 3


def test_a_model_that_kills_the_server_as_it_loads_is_told_and_takes_no_other_along(
    up: Opener, shelf: Shelf
) -> None:
    a, killer = shelf.put(1), shelf.put(2, kills_server=True)
    with up() as running:
        assert running.release(a) == 1
        with pytest.raises(running.errors.ModelError, match="died twice during the load"):
            running.ask(killer)
        assert running.release(a) == 1


def test_what_loads_beside_a_model_that_kills_the_server_is_not_blamed(
    up: Opener, shelf: Shelf, pool: Pool
) -> None:
    # one control call at a time: the others wait behind the one that kills
    killer = shelf.put(9, notes=shelf.notes, load_when=shelf.gate("go"), kills_server=True)
    slow = [shelf.put(number) for number in (1, 2, 3)]
    with up() as running:
        blamed = pool.submit(running.ask, killer)
        until(lambda: shelf.loads() == [9])
        asked = [pool.submit(running.release, target) for target in slow]
        until(lambda: all(target in running.inside.disk.extracted for target in slow))
        shelf.gate("go").touch()
        assert [one.result() for one in asked] == [1, 2, 3]
        with pytest.raises(running.errors.ModelError, match="died twice during the load"):
            blamed.result()


def test_requests_and_evictions_of_many_models_at_once_answer_right(
    up: Opener, shelf: Shelf, pool: Pool
) -> None:
    targets = [shelf.put(number) for number in range(4)]
    barrier = threading.Barrier(4)

    def caller(first: int) -> list[int]:
        barrier.wait()
        return [running.release(targets[(first + step) % 4]) for step in range(4)]

    with up(models=2) as running:
        asked: list[Future[list[int]]] = [pool.submit(caller, first) for first in range(4)]
        for first, one in enumerate(asked):
            assert one.result() == [(first + step) % 4 for step in range(4)]
        until(lambda: len(running.loaded()) == 2)
        assert running.inside.container.generation == 1


def _users(running: Up, target: str) -> int:
    model = running.inside.models.table.get(target)
    return model.users if model else 0


def _answers(running: Up, target: str, release: int) -> bool:
    try:
        return running.release(target) == release
    except running.errors.ModelError:
        return False
