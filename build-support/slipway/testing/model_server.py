"""Serve the model whose tests are running; one server start for all of its tests."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from slipway import settings
from slipway.artifact.artifact import Artifact
from slipway.disk import explain_disk_errors
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.server.server import Server
from slipway.testing import artifact
from slipway.testing.junit_report import ReportProperties
from slipway.testing.served_artifact import ServedArtifact, ServedModel


class ModelServer:
    """One server, for the model requested last; a failure is remembered, not retried."""

    def __init__(self, root: Path, chosen: Path | None, properties: ReportProperties) -> None:
        self.notes: dict[str, tuple[str, ...]] = {}
        # how servers have ended by themselves, by model
        self.ends: dict[str, list[str]] = {}
        self._root = root
        self._chosen = chosen
        self._properties = properties
        self._stack = ExitStack()
        self._folder: Path | None = None
        self._current: tuple[ServedModel, Path] | SlipwayError | None = None

    def model(self, folder: Path) -> ServedModel:
        """Return the model in ``folder`` (``models/<name>``), served from its artifact.

        Raises:
            SlipwayError: there is no artifact or server, or the model does not load.
        """
        return self._serving(folder)[0]

    def artifact(self, folder: Path) -> Path:
        """Return the artifact from which ``model`` is served.

        Raises:
            SlipwayError: as :meth:`model`.
        """
        return self._serving(folder)[1]

    def close(self) -> None:
        """Stop the server."""
        self._stack.close()
        self._folder = self._current = None

    def _serving(self, folder: Path) -> tuple[ServedModel, Path]:
        if folder != self._folder:
            self.close()
            self._folder = folder
            try:
                with explain_disk_errors():
                    self._current = self._serve(folder)
            except SlipwayError as error:
                self._current = error
        if isinstance(self._current, SlipwayError):
            raise self._current
        assert self._current is not None
        return self._current

    def _serve(self, folder: Path) -> tuple[ServedModel, Path]:
        path = artifact.artifact_for(folder, self._root, self._chosen)
        # computed from this file, not the digest that the build recorded
        tested = Artifact(path, sha256=sha256_of(path))
        served = ServedArtifact(settings.load(folder), folder, path)
        self.ends[folder.name] = served.ends
        server = self._stack.enter_context(served).server
        description = server.describe(served.target)
        self._properties.add_artifact(folder.name, tested, description)
        self.notes[folder.name] = (
            description,
            *(f"for this machine without a GPU, {change}" for change in served.fallbacks),
            *_library_notes(server),
        )
        return ServedModel(served), path


def _library_notes(server: Server) -> list[str]:
    reason = server.visible_libraries
    text = "models see this machine's libraries, also those that the serving image lacks"
    return [f"{text} ({reason})"] if reason else []
