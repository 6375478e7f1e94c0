"""An endpoint of several containers with one instance: a container answers, or one after another.

https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-direct.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipelines.html
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from slipway.catalog.catalog import Catalog
from slipway.endpoint.capture import EndpointCapture
from slipway.endpoint.containers.definition import CONTAINER, ContainerDefinition, define_containers
from slipway.endpoint.containers.running import RunningContainer
from slipway.endpoint.failure import Failure, denied, invalid, model_error
from slipway.endpoint.instance import memory
from slipway.endpoint.instance.connection import ContainerResponse
from slipway.endpoint.instance.objects import Objects
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Observer
from slipway.endpoint.policy import Policy
from slipway.server.client import TARGET
from slipway.settings import EndpointSettings, Settings
from slipway.store.stage import StageReader

ACCEPT, CONTENT_TYPE = "Accept", "Content-Type"
CHECK_S = 10.0
PIPELINE = "pipeline"  # what counts the invocations of a serial endpoint


class ContainerEndpoint:
    """An endpoint with its containers; :func:`run_containers` creates it."""

    def __init__(
        self,
        name: str,
        mode: Literal["direct", "serial"],
        limits: Limits,
        policy: Policy,
        containers: Sequence[RunningContainer],
        observer: Observer,
    ) -> None:
        self.name = name
        self.mode = mode
        self.limits = limits
        self.policy = policy
        self.containers = {each.definition.hostname: each for each in containers}
        self.observer = observer
        self.capture: EndpointCapture | None = None
        self.memory: dict[str, int] = {}  # bytes of each container's processes, by its host name

    async def monitor(self) -> None:
        """Measure memory every :data:`CHECK_S`, until cancelled."""
        while True:
            for hostname, container in self.containers.items():
                if container.is_ready and container.process is not None:
                    process = container.process
                    usage = await asyncio.to_thread(
                        memory.measure, process.process.pid, process.place.base
                    )
                    self.memory[hostname] = usage.total
            self.observer.count(sum(each.is_ready for each in self.containers.values()))
            self.observer.measured(sum(self.memory.values()), 0)
            await asyncio.sleep(CHECK_S)

    async def invoke(
        self, request: Mapping[str, str], body: bytes, headers: Mapping[str, str]
    ) -> ContainerResponse:
        """Return the response of the container that the headers of ``request`` name, or of the
        last one of a pipeline. ``headers`` are passed on.

        Raises:
            Failure: every other response.
        """
        start = time.perf_counter()
        try:
            route = self._route(request)
        except Failure as failure:
            self.observer.refused(ascii(request.get(CONTAINER, ""))[1:-1], failure)
            raise
        label = route[0].definition.hostname if self.mode == "direct" else PIPELINE
        record = partial(self._record, label, start)
        try:
            answer = await self._pass_on(route, body, headers, start)
        except Failure as failure:
            record(failure)
            raise
        record(None)
        return answer

    def captured_target(self, request: Mapping[str, str]) -> str:
        """Return the target model of a request that was answered; of a pipeline :data:`PIPELINE`,
        since the request is the first container's and the answer the last one's."""
        if self.mode == "serial":
            return PIPELINE
        return self.containers[request[CONTAINER]].definition.target

    def _route(self, request: Mapping[str, str]) -> list[RunningContainer]:
        """Return the containers that a request goes through.

        Raises:
            Failure: 400 or 403, it names none, another or too much.
        """
        hostname = request.get(CONTAINER)
        if TARGET in request:
            raise invalid(
                f"Endpoint {self.name} is not a multi-model endpoint and does not support target"
                " model header."
            )
        if self.mode == "serial":
            if hostname is not None:
                raise invalid(
                    f"TargetContainerHostname {hostname!r:.100}: endpoint {self.name} is a serial"
                    " one, every invocation goes through all of its containers"
                )
            return list(self.containers.values())
        known = ", ".join(self.containers)
        if not hostname:
            raise invalid(
                f"TargetContainerHostname is missing: endpoint {self.name} is invoked directly, and"
                f" has the containers {known}"
            )
        if not self.policy.allows(hostname):
            raise denied(self.name, hostname, "sagemaker:TargetContainerHostname")
        if hostname not in self.containers:
            raise invalid(
                f"Container {hostname!r:.100} of endpoint {self.name} not found: it has {known}."
                " What was published since it was created needs a new deployment"
            )
        return [self.containers[hostname]]

    async def _pass_on(
        self,
        route: Sequence[RunningContainer],
        body: bytes,
        headers: Mapping[str, str],
        start: float,
    ) -> ContainerResponse:
        """Give the body to the first container, its answer to the next, and return the last one's.

        What the caller accepts is said to the last one only: AWS's images take their own default
        for what they give on (SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT).
        """
        passed = {key: value for key, value in headers.items() if key != ACCEPT}
        for number, container in enumerate(route, start=1):
            if number == len(route) and ACCEPT in headers:
                passed[ACCEPT] = headers[ACCEPT]
            left = self.limits.invocation_s - (time.perf_counter() - start)
            answer = await container.invoke(body, passed, max(left, 0.001))
            if answer.status != 200:
                message = answer.body.decode(errors="replace")
                raise model_error(answer.status, message, container.definition.hostname)
            body = answer.body
            passed[CONTENT_TYPE] = answer.headers.get(CONTENT_TYPE.lower(), "")
        return answer

    def _record(self, label: str, start: float, failure: Failure | None) -> None:
        total_s = time.perf_counter() - start
        self.observer.answered(
            label, hit=True, wait_s=0.0, model_s=total_s, total_s=total_s, failure=failure
        )


@asynccontextmanager
async def run_containers(
    entry: EndpointSettings,
    settings: Settings,
    releases: StageReader,
    limits: Limits,
    observer: Observer,
    logs: Path,
    isolated: bool = True,
) -> AsyncIterator[ContainerEndpoint]:
    """Run an endpoint of several containers until the block ends. Each one's log is in ``logs``.

    Raises:
        SlipwayError: a model has no release, or a container does not become ready.
    """
    objects = Objects(releases)
    definitions = await asyncio.to_thread(define_containers, entry, Catalog(releases))
    loop = asyncio.get_running_loop()
    containers, tasks, started = [], [], []
    for definition in definitions:
        log_file = logs / f"endpoint_{entry.name}_{definition.hostname}.log"
        log_file.unlink(missing_ok=True)
        restarted = partial(_restarted, observer, definition)
        container = RunningContainer(definition, settings, log_file, limits, restarted, isolated)
        ready: asyncio.Future[None] = loop.create_future()
        containers.append(container)
        started.append(ready)
        tasks.append(asyncio.create_task(container.run(objects, ready)))
    try:
        await asyncio.gather(*started)
        policy = Policy(entry.allow)
        endpoint = ContainerEndpoint(entry.name, entry.mode, limits, policy, containers, observer)
        tasks.append(asyncio.create_task(endpoint.monitor()))
        yield endpoint
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *started, return_exceptions=True)


def _restarted(observer: Observer, definition: ContainerDefinition, reason: str) -> None:
    observer.restarted(f"the container {definition.hostname} {reason}")
