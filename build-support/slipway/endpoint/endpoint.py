"""One endpoint with one instance: an invocation finds its model, or has it loaded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.endpoint import memory, objects
from slipway.endpoint.connections import Answer
from slipway.endpoint.container import Container
from slipway.endpoint.disk import Disk
from slipway.endpoint.failure import Failure, denied, of_model, unavailable
from slipway.endpoint.limits import Limits
from slipway.endpoint.loader import NOT_LOADED, Loader
from slipway.endpoint.models import Models
from slipway.endpoint.objects import Objects
from slipway.endpoint.observer import Observer
from slipway.endpoint.policy import Policy
from slipway.server import directories
from slipway.server.client import ServerGone
from slipway.settings import Settings
from slipway.triton import kserve

TRIES = 3  # the server may be replaced between finding the model and asking it
LOOK_S = 10.0  # between looks at memory and at overwritten objects
# the words of the Python backend for a model whose process has died (python_be.cc)
DEAD = b"is not healthy"
LONGEST_GRACE_S = 300.0


@dataclass
class _Seen:
    """Of one invocation: whether its model was loaded, seconds that it waited and was asked."""

    hit: bool = False
    waited: float = 0.0
    asked: float = 0.0


class Endpoint:
    """Made by :func:`running`."""

    def __init__(
        self,
        name: str,
        limits: Limits,
        policy: Policy,
        disk: Disk,
        container: Container,
        models: Models,
        observer: Observer,
    ) -> None:
        self.name = name
        self.limits = limits
        self.policy = policy
        self.disk = disk
        self.container = container
        self.models = models
        self.observer = observer
        self.memory = 0
        self.overwritten: set[str] = set()
        self._deaths: dict[str, tuple[int, float]] = {}
        self._replacing: asyncio.Task[None] | None = None

    async def invoke(
        self, target: str | None, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Answer, bool]:
        """The container's answer, and whether the model was loaded already.

        Raises:
            Failure: every other answer.
        """
        began = time.perf_counter()
        try:
            target = objects.check(target)
            if not self.policy.allows(target):
                raise denied(self.name, target)
        except Failure as failure:
            # what is no target may hold anything: the terminal shows it
            self.observer.refused(ascii(target or "")[1:-1], failure)
            raise
        seen = _Seen()
        try:
            answer = await self._answer(target, body, headers, began, seen)
        except Failure as failure:
            if failure.status == 400 and target not in self.observer.seen:
                # no such object: names that anybody makes up are no labels
                self.observer.refused(target, failure)
            else:
                self._note(target, began, seen, failure)
            raise
        self._note(target, began, seen, None)
        return answer, seen.hit

    async def _answer(
        self, target: str, body: bytes, headers: Mapping[str, str], began: float, seen: _Seen
    ) -> Answer:
        for _ in range(TRIES):
            model, seen.hit = await self.models.acquire(target)
            found = time.perf_counter()
            seen.waited = found - began
            try:
                answer = await self._ask(target, body, headers)
            finally:
                seen.asked = time.perf_counter() - found
                self.models.release(model)
            if answer.status == 200:
                return answer
            if answer.status != NOT_LOADED or answer.body:
                raise self._failure(target, answer)
            self.models.forget(model)
        raise unavailable(f"{target!r} was loaded {TRIES} times, and each time it was gone again")

    def _note(self, target: str, began: float, seen: _Seen, failure: Failure | None) -> None:
        whole = time.perf_counter() - began
        self.observer.answered(
            target, hit=seen.hit, waited=seen.waited, asked=seen.asked, whole=whole, failure=failure
        )

    async def _ask(self, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        container = self.container
        if not container.is_ready:
            await container.ready(self.limits.not_ready_s)
        container.in_flight += 1
        try:
            return await container.calls.invoke(target, body, headers, self.limits.invocation_s)
        except TimeoutError:
            raise of_model(
                0,
                "Your invocation timed out while waiting for a response from container primary:"
                f" it has {self.limits.invocation_s:g} s",
            ) from None
        except ServerGone as gone:
            raise of_model(
                0, f"the Triton server ended while it answered; it is started again ({gone.what})"
            ) from gone
        finally:
            container.in_flight -= 1

    def _failure(self, target: str, answer: Answer) -> Failure:
        if answer.status == 400 and DEAD in answer.body:
            self._died(target)
        said = answer.body.decode(errors="replace")
        return of_model(answer.status, said or kserve.message_of(answer.status, b""))

    def _died(self, target: str) -> None:
        """A model's process is dead, which only a new server mends; but a model that dies again
        and again must not take the others with it each time."""
        deaths, last = self._deaths.get(target, (0, 0.0))
        if deaths and time.monotonic() < last + min(2.0**deaths, LONGEST_GRACE_S):
            return
        if self._replacing and not self._replacing.done():
            return
        self._deaths[target] = (deaths + 1, time.monotonic())
        # seen on 24.10
        reason = f"a process of {target!r} has died, and Triton does not start it again"
        self._replacing = asyncio.create_task(
            self.container.replace_when_idle(reason, self.container.generation)
        )

    def lost(self, reason: str) -> None:
        """The server has ended."""
        self.models.lost()
        self.observer.restarted(reason)

    async def look(self) -> None:
        """Measure memory and find overwritten objects, now and then, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            folders = {model.target: self.disk.folder(model.target) for model in self.models.loaded}
            supervisor = self.container.server.supervisor
            taken, self.memory = await asyncio.to_thread(memory.taken, supervisor, folders)
            self.models.measured(taken)
            self.observer.measured(self.memory, self.disk.taken)
            stale = set(await self.disk.stale())
            for target in stale - self.overwritten:
                self.observer.stale(target)
            self.overwritten = stale


@asynccontextmanager
async def running(
    name: str,
    settings: Settings,
    found: Objects,
    limits: Limits,
    policy: Policy,
    observer: Observer,
    log_file: Path,
) -> AsyncIterator[Endpoint]:
    """An endpoint whose server runs until the block ends.

    Raises:
        SlipwayError: there is no Triton, or it does not start.
    """
    with directories.keep(settings) as kept:
        endpoint: Endpoint

        def lost(reason: str) -> None:
            endpoint.lost(reason)

        def pinned(target: str) -> bool:
            return endpoint.models.pins(target)

        container = Container(settings, kept, log_file, limits, lost)
        disk = Disk(found, kept, limits.disk, pinned)
        models = Models(limits, disk, Loader(limits, disk, container), observer)
        endpoint = Endpoint(name, limits, policy, disk, container, models, observer)
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tasks = [asyncio.create_task(container.run(started))]
        try:
            await started
            tasks.append(asyncio.create_task(endpoint.look()))
            yield endpoint
        finally:
            await models.close()
            await disk.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
