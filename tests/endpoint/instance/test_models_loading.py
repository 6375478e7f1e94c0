"""Loading, and what loads badly, in front of the real server."""

from __future__ import annotations

import psutil
import pytest

from slipway.endpoint import endpoint as engine
from slipway.endpoint.instance import loader, table, turns
from slipway.server import stalled_load
from tests.endpoint.conftest import Opener
from tests.endpoint.instance.conftest import Pool
from tests.endpoint.leftovers import commands
from tests.endpoint.shelf import Shelf, Up, until


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
        until(lambda: running.users(target) == 20)
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
        until(lambda: running.users(busy) == 24)
        shelf.gate("answer").touch()
        assert [one.result() for one in asked] == [1] * 24
        shelf.gate("answer").unlink()
        load = pool.submit(running.release, slow)
        until(lambda: running.inside.container.controls)
        asked = [pool.submit(running.release, busy) for _ in range(23)]
        until(lambda: running.users(busy) == 23)
        shelf.gate("answer").touch()
        assert [one.result() for one in asked] == [1] * 23
        assert not load.done()
        shelf.gate("load").touch()
        assert load.result() == 2


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


def _answers(running: Up, target: str, release: int) -> bool:
    try:
        return running.release(target) == release
    except running.errors.ModelError:
        return False
