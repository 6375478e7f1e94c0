"""Laws of loading and evicting, in any order of events, with a simulated container:
thousands of orders, which a real server could not be asked for."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from slipway.endpoint.failure import Failure
from slipway.endpoint.instance import memory
from slipway.endpoint.instance.container import Container
from slipway.endpoint.instance.disk import Disk, ExtractedModel
from slipway.endpoint.instance.loader import Loader
from slipway.endpoint.instance.models import Models
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Metrics, Observer
from slipway.server.client import RejectedError, ServerGoneError

SIZE = 10


class MadeUp:
    """A server that loads and unloads after a moment, in which anything else may happen."""

    def __init__(self, chance: random.Random, broken: set[str], log: Path) -> None:
        self.chance, self.broken, self.log_file = chance, broken, log
        self.present: set[str] = set()
        self.models: Models
        self.most = 0
        self.asked: dict[str, int] = {}
        self.generation, self.controls, self.is_ready = 1, 0, True
        self.server = SimpleNamespace(
            log_file=log,
            supervisor=0,
            load_error=lambda target, what, since: what,
            watch_load=lambda: None,
            prepare=lambda target: None,
        )
        self.control = ""
        self.calls = self

    async def moment(self) -> None:
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)

    @contextmanager
    def one_control_call(self, target: str) -> Iterator[None]:
        assert not self.control, f"{target} while {self.control} was under way"
        self.control = target
        try:
            yield
        finally:
            self.control = ""

    async def load(self, target: str, timeout_s: float) -> None:
        generation = self.generation
        with self.one_control_call(f"loading {target}"):
            await self.moment()
        if generation != self.generation:
            raise ServerGoneError("killed")
        if target in self.broken:
            raise RejectedError(400, "broken")
        assert target not in self.present
        self.present.add(target)
        leaving = {m.target for m in self.models.table.values() if m.state == "unloading"}
        self.most = max(self.most, len(self.present - leaving))

    async def unload(self, target: str, timeout_s: float) -> None:
        generation = self.generation
        assert not self.asked.get(target), "unloaded while it was in use"
        with self.one_control_call(f"unloading {target}"):
            await self.moment()
        if generation != self.generation:
            raise ServerGoneError("killed")
        if target not in self.present:
            raise RejectedError(404, "not loaded")
        self.present.remove(target)

    async def ready(self, timeout_s: float) -> None:
        await self.moment()

    async def replaced(self, generation: int, timeout_s: float) -> None:
        await self.moment()

    def replace(self, reason: str) -> None:
        raise AssertionError(reason)

    def kill(self, models: Models) -> None:
        """Another server, in which nothing is loaded."""
        self.generation += 1
        self.present.clear()
        models.lost()


class Folder:
    """A disk on which everything lies."""

    def __init__(self) -> None:
        self.extracted: dict[str, ExtractedModel] = {}

    async def extract(self, target: str, evict: Any) -> tuple[ExtractedModel, bool]:
        await asyncio.sleep(0)
        return ExtractedModel(target, 1, "", 0.0, 0.0), False

    def folder(self, target: str) -> Path:
        return Path("/nowhere") / target


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models of this container have none; nothing is left to the order of threads."""

    async def at_once(work: Callable[..., Any], *given: Any) -> Any:
        await asyncio.sleep(0)
        return work(*given)

    monkeypatch.setattr(asyncio, "to_thread", at_once)
    monkeypatch.setattr(memory, "has_processes", lambda supervisor, folder: False)
    monkeypatch.setattr(memory, "model_memory", lambda supervisor, folder: SIZE)


async def run(
    limits: Limits, seed: int, callers: int, targets: int, broken: set[str], kills: int
) -> tuple[MadeUp, Models]:
    chance = random.Random(seed)
    log = Path(tempfile.gettempdir()) / "slipway_laws.log"
    log.touch()
    server = MadeUp(chance, broken, log)
    observer = Observer("laws", Metrics())
    disk = cast(Disk, Folder())
    models = Models(limits, disk, Loader(limits, disk, cast(Container, server)), observer)
    server.models = models

    async def caller() -> None:
        for _ in range(6):
            target = f"t{chance.randrange(targets)}"
            generation = server.generation
            try:
                model, _ = await models.acquire(target)
            except Failure:
                assert target in broken or server.generation != generation
                continue
            assert target not in broken
            generation = server.generation
            server.asked[target] = server.asked.get(target, 0) + 1
            for _ in range(3):
                await server.moment()
                assert target in server.present or server.generation != generation
            server.asked[target] -= 1
            models.release(model)

    async def killer() -> None:
        for _ in range(kills):
            for _ in range(chance.randrange(40)):
                await asyncio.sleep(0)
            server.kill(models)

    async with asyncio.timeout(30):
        await asyncio.gather(killer(), *(caller() for _ in range(callers)))
        for _ in range(1000):
            if (
                not any(m.state != "loaded" for m in models.table.values())
                and not models._unloading.is_trimming
            ):
                break
            await asyncio.sleep(0.001)
    await models.close()
    log.unlink(missing_ok=True)
    return server, models


@given(
    st.integers(1, 3),
    st.integers(0, 10**6),
    st.integers(1, 8),
    st.integers(1, 6),
    st.sets(st.sampled_from(["t0", "t3"])),
    st.integers(0, 3),
)
@settings(max_examples=150, deadline=None)
def test_beside_those_that_are_leaving_there_is_at_most_one_too_many_and_no_user_loses_its_model(
    limit: int, seed: int, callers: int, targets: int, broken: set[str], kills: int
) -> None:
    server, models = asyncio.run(run(Limits(models=limit), seed, callers, targets, broken, kills))
    assert server.most <= limit + 1
    assert {model.target for model in models.table.loaded} == server.present
    assert len(server.present) <= limit
    assert not any(model.users for model in models.table.values())


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_memory_is_kept_once_nobody_asks(seed: int, callers: int, targets: int) -> None:
    server, _ = asyncio.run(run(Limits(memory=2 * SIZE), seed, callers, targets, set(), 0))
    assert len(server.present) <= 2


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 6), st.sampled_from([0, 1, 2]))
@settings(max_examples=60, deadline=None)
def test_without_a_cache_nothing_stays_loaded(
    seed: int, callers: int, targets: int, limit: int
) -> None:
    limits = Limits(cached=False, models=limit)
    server, models = asyncio.run(run(limits, seed, callers, targets, set(), 0))
    assert not server.present and not models.table
