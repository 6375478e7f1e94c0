"""Memory, disk, how many are loaded: who waits and who is evicted, in front of the real server."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from tests.endpoint.conftest import Opener
from tests.endpoint.instance.conftest import Pool
from tests.endpoint.shelf import Shelf, until


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
        until(lambda: running.users(busy) == 1 and running.loaded() == [busy])
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
        until(lambda: running.users(c) == 1 and c in running.inside.disk.extracted)
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
