"""The server of the model whose tests are running: one start for all of them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from slipway import settings
from slipway.artifact.artifact import Artifact
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.server import triton
from slipway.server.triton import Server
from slipway.testing import artifact
from slipway.testing.junit_report import ReportProperties
from slipway.testing.model import Model


class ModelServer:
    """One server, for the model requested last; a failure is remembered, not retried."""

    def __init__(self, root: Path, given: Path | None, properties: ReportProperties) -> None:
        self.notes: dict[str, tuple[str, ...]] = {}
        self._root = root
        self._given = given
        self._properties = properties
        self._stack = ExitStack()
        self._folder: Path | None = None
        self._found: tuple[Model, Path] | SlipwayError | None = None

    def model(self, folder: Path) -> Model:
        """Return the model in ``folder`` (``models/<name>``), served from its artifact.

        Raises:
            SlipwayError: there is no artifact or server, or the model does not load.
        """
        return self._of(folder)[0]

    def artifact(self, folder: Path) -> Path:
        """Return the artifact from which ``model`` is served.

        Raises:
            SlipwayError: as :meth:`model`.
        """
        return self._of(folder)[1]

    def close(self) -> None:
        """Stop the server."""
        self._stack.close()
        self._folder = self._found = None

    def _of(self, folder: Path) -> tuple[Model, Path]:
        if folder != self._folder:
            self.close()
            self._folder = folder
            try:
                self._found = self._serve(folder)
            except SlipwayError as error:
                self._found = error
        if isinstance(self._found, SlipwayError):
            raise self._found
        assert self._found is not None
        return self._found

    def _serve(self, folder: Path) -> tuple[Model, Path]:
        found = artifact.of_model(folder, self._root, self._given)
        server: Server = self._stack.enter_context(triton.start(settings.load(folder)))
        target = f"{folder.name}.tar.gz"
        # computed from these bytes, not the digest that building recorded
        tested = Artifact(found, sha256=sha256_of(found))
        lowered = server.load(target, found)
        self._properties.served(folder.name, tested, str(server.source))
        self.notes[folder.name] = (str(server.source), *lowered)
        return Model(server, target), found
