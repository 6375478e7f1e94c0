"""Serve the containers whose tests are running; one process for all tests of a model."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from slipway import settings
from slipway.artifact.artifact import Artifact
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.server.container import call
from slipway.server.container.call import ContainerAnswer
from slipway.server.container.process import ContainerProcess, start_container
from slipway.testing import artifact
from slipway.testing.junit_report import ReportProperties

STARTUP_S = 120.0


class Container:
    """A model's container, as a process. Calling :meth:`invoke` sends one request."""

    def __init__(self, process: ContainerProcess, file: Path, timeout_s: float) -> None:
        self.process = process
        self.artifact = file
        self._timeout_s = timeout_s

    def invoke(
        self, body: bytes | str, content_type: str = "application/json", accept: str | None = None
    ) -> ContainerAnswer:
        """Return the container's answer, whatever its status: ``status``, ``content_type`` and
        ``body``.

        Raises:
            SlipwayError: there is none in time, or the container ended.
        """
        data = body.encode() if isinstance(body, str) else body
        return call.invoke(
            self.process, data, content_type, accept=accept, timeout_s=self._timeout_s
        )


class ContainerServer:
    """The containers of one session, by the model's folder; a failure is not retried."""

    def __init__(self, root: Path, chosen: Path | None, properties: ReportProperties) -> None:
        self._root = root
        self._chosen = chosen
        self._properties = properties
        self._stack = ExitStack()
        self._containers: dict[Path, Container | SlipwayError] = {}

    def container(self, folder: Path) -> Container:
        """Return the container of the model in ``folder`` (``models/<name>``), ready.

        Raises:
            SlipwayError: there is no artifact, or the container does not become ready.
        """
        if folder not in self._containers:
            try:
                self._containers[folder] = self._start(folder)
            except SlipwayError as error:
                self._containers[folder] = error
        container = self._containers[folder]
        if isinstance(container, SlipwayError):
            raise container
        return container

    def close(self) -> None:
        """Stop the containers."""
        self._stack.close()
        self._containers.clear()

    def _start(self, folder: Path) -> Container:
        configured = settings.load(folder)
        file = artifact.artifact_for(folder, self._root, self._chosen)
        # computed from this file, not the digest that the build recorded
        tested = Artifact(file, sha256=sha256_of(file))
        declared = configured.containers.get(folder.name)
        variables = declared.environment if declared else None
        process = self._stack.enter_context(
            start_container(file, configured, environment=variables)
        )
        call.await_ready(process, STARTUP_S)
        description = "its container as a process, in the environment of its lock"
        self._properties.add_artifact(folder.name, tested, description)
        return Container(process, file, configured.time_limits.request_timeout)
