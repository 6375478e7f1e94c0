"""One endpoint with one instance: an invocation finds its model loaded, or loads it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.endpoint.capture import EndpointCapture
from slipway.endpoint.failure import Failure, denied, model_error, too_deep, unavailable
from slipway.endpoint.instance import memory, objects
from slipway.endpoint.instance.connection import ContainerResponse
from slipway.endpoint.instance.container import Container
from slipway.endpoint.instance.disk import Disk
from slipway.endpoint.instance.loader import NOT_LOADED, Loader
from slipway.endpoint.instance.models import Models
from slipway.endpoint.instance.objects import Objects
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Observer
from slipway.endpoint.policy import Policy
from slipway.server import directories
from slipway.server.client import TARGET, ServerGoneError
from slipway.settings import Settings
from slipway.triton import kserve
from slipway.triton.json_depth import has_deep_json

TRIES = 3  # the server may be replaced between loading a model and invoking it
CHECK_S = 10.0  # between checks of memory and of overwritten objects
# the Python backend's message for a model whose process has died (python_be.cc)
PROCESS_DIED = b"is not healthy"
LONGEST_GRACE_S = 300.0


@dataclass
class _InvocationTiming:
    """Of one invocation: whether its model was loaded, seconds of waiting for it and of its
    answer."""

    hit: bool = False
    wait_s: float = 0.0
    model_s: float = 0.0


class Endpoint:
    """An endpoint with its instance; :func:`run_endpoint` creates it."""

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
        self.capture: EndpointCapture | None = None
        self.memory = 0
        self.leftover: dict[str, int] = {}  # bytes, by target
        self._invocations = 0
        self.overwritten: set[str] = set()
        self._deaths: dict[str, tuple[int, float]] = {}
        self._replacing: asyncio.Task[None] | None = None

    async def invoke(
        self, target: str | None, body: bytes, headers: Mapping[str, str]
    ) -> tuple[ContainerResponse, bool]:
        """Return the container's response, and whether the model was already loaded.

        Raises:
            Failure: every other response.
        """
        start = time.perf_counter()
        self._invocations += 1
        try:
            target = objects.check(target)
            if not self.policy.allows(target):
                raise denied(self.name, target)
            if has_deep_json(body, headers.get("Content-Type", "")):
                raise too_deep()
        except Failure as failure:
            # an invalid target may hold any character, and the terminal shows it
            self.observer.refused(ascii(target or "")[1:-1], failure)
            raise
        timing = _InvocationTiming()
        try:
            answer = await self._answer(target, body, headers, start, timing)
        except Failure as failure:
            if failure.status == 400 and target not in self.observer.statistics:
                # the object does not exist: invented names must not become labels
                self.observer.refused(target, failure)
            else:
                self._record(target, start, timing, failure)
            raise
        self._record(target, start, timing, None)
        return answer, timing.hit

    def captured_target(self, request: Mapping[str, str]) -> str:
        """Return the target model of a request that was answered."""
        return request[TARGET]

    async def _answer(
        self,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        start: float,
        timing: _InvocationTiming,
    ) -> ContainerResponse:
        for _ in range(TRIES):
            model, timing.hit = await self.models.acquire(target)
            loaded_at = time.perf_counter()
            timing.wait_s = loaded_at - start
            try:
                answer = await self._ask(target, body, headers)
            finally:
                timing.model_s = time.perf_counter() - loaded_at
                self.models.release(model)
            if answer.status == 200:
                return answer
            if answer.status != NOT_LOADED or answer.body:
                raise self._failure(target, answer)
            self.models.forget(model)
        raise unavailable(f"{target!r} was loaded {TRIES} times, and the server lost it each time")

    def _record(
        self, target: str, start: float, timing: _InvocationTiming, failure: Failure | None
    ) -> None:
        total_s = time.perf_counter() - start
        self.observer.answered(
            target,
            hit=timing.hit,
            wait_s=timing.wait_s,
            model_s=timing.model_s,
            total_s=total_s,
            failure=failure,
        )

    async def _ask(self, target: str, body: bytes, headers: Mapping[str, str]) -> ContainerResponse:
        container = self.container
        if not container.is_ready:
            await container.ready(self.limits.not_ready_s)
        container.in_flight += 1
        generation = container.generation
        try:
            return await container.calls.invoke(target, body, headers, self.limits.invocation_s)
        except TimeoutError:
            raise model_error(
                0,
                "Your invocation timed out while waiting for a response from container primary:"
                f" it has {self.limits.invocation_s:g} s",
            ) from None
        except ServerGoneError as error:
            # a caller who asks again at once then waits for the next server
            await container.replaced(generation, self.limits.ping_s)
            raise model_error(
                0, f"the Triton server ended while it answered; it is restarted ({error.what})"
            ) from error
        finally:
            container.in_flight -= 1

    def _failure(self, target: str, answer: ContainerResponse) -> Failure:
        if answer.status == 400 and PROCESS_DIED in answer.body:
            self._replace_server_for(target)
        message = answer.body.decode(errors="replace")
        return model_error(answer.status, message or kserve.message_of(answer.status, b""))

    def _replace_server_for(self, target: str) -> None:
        """Replace the server, which alone restarts a model's dead process; but a model that keeps
        dying must not take the others with it each time."""
        deaths, last = self._deaths.get(target, (0, 0.0))
        if deaths and time.monotonic() < last + min(2.0**deaths, LONGEST_GRACE_S):
            return
        if self._replacing and not self._replacing.done():
            return
        self._deaths[target] = (deaths + 1, time.monotonic())
        # timing on 24.10
        reason = f"a process of {target!r} has died, and Triton does not restart it"
        self._replacing = asyncio.create_task(
            self.container.replace_when_idle(reason, self.container.generation)
        )

    def lost(self, reason: str) -> None:
        """Record that the server has ended."""
        self.leftover = {}
        self.models.lost()
        self.observer.restarted(reason)

    async def monitor(self) -> None:
        """Measure memory and find overwritten objects, every :data:`CHECK_S`, until cancelled."""
        while True:
            invocations = self._invocations
            await asyncio.sleep(CHECK_S)
            await self._measure()
            if self.leftover and invocations == self._invocations and self._is_idle():
                targets = ", ".join(map(repr, self.leftover))
                self.container.replace(f"processes of {targets} stayed after their model")
            stale = set(await self.disk.stale())
            for target in stale - self.overwritten:
                self.observer.stale(target)
            self.overwritten = stale

    async def _measure(self) -> None:
        """Measure memory, and find processes whose model is not loaded any more: Triton does not
        end them (seen on 24.10 after failed loads of ensembles)."""
        container, generation = self.container, self.container.generation
        present = set(self.models.table)
        usage = await asyncio.to_thread(
            memory.measure, container.server.supervisor, self.disk.models
        )
        if generation != container.generation:
            return
        self.memory = usage.total
        present |= set(self.models.table)
        target_of = {self.disk.folder_name(target): target for target in self.disk.extracted}
        sizes = {target_of.get(name, name): size for name, size in usage.folders.items()}
        leftover = {target: size for target, size in sizes.items() if target not in present}
        for name, processes in usage.processes.items():
            target = target_of.get(name, name)
            if target in leftover and target not in self.leftover:
                self.observer.left_over(target, processes, leftover[target])
        self.leftover = leftover
        self.models.set_memory(sizes, sum(leftover.values()))
        self.observer.measured(self.memory, self.disk.used_bytes)

    def _is_idle(self) -> bool:
        return not self.container.in_flight and not any(
            model.users or model.state != "loaded" for model in self.models.table.values()
        )


@asynccontextmanager
async def run_endpoint(
    name: str,
    settings: Settings,
    objects_below_prefix: Objects,
    limits: Limits,
    policy: Policy,
    observer: Observer,
    log_file: Path,
    isolated: bool = True,
) -> AsyncIterator[Endpoint]:
    """Run an endpoint and its server until the block ends.

    Raises:
        SlipwayError: no Triton is installed, or it does not start.
    """
    with directories.models_directory(settings) as models_directory:
        endpoint: Endpoint

        def lost(reason: str) -> None:
            endpoint.lost(reason)

        def pinned(target: str) -> bool:
            return endpoint.models.pins(target)

        container = Container(settings, models_directory, log_file, limits, lost, isolated)
        disk = Disk(objects_below_prefix, models_directory, limits.disk, pinned)
        models = Models(limits, disk, Loader(limits, disk, container, observer.timings), observer)
        endpoint = Endpoint(name, limits, policy, disk, container, models, observer)
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tasks = [asyncio.create_task(container.run(started))]
        try:
            await started
            tasks.append(asyncio.create_task(endpoint.monitor()))
            yield endpoint
        finally:
            await models.close()
            await disk.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
