"""Serve an artifact for tests, on a server that is started again once if it ends by itself.

Triton ends by itself in some runs of a model and not in others: its Python backend aborts with
``boost::interprocess::lock_exception`` under load. Tests that fail of it say nothing about the
model, so the server is started again once; the end is counted, and a second one fails the test.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from slipway.errors import SlipwayError
from slipway.server import triton
from slipway.server.client import InferenceError, ServerDiedError, UnansweredError
from slipway.server.model_frames import readable_error, show_below
from slipway.server.server import Server
from slipway.settings import Settings
from slipway.testing.model import Model
from slipway.testing.untestable import untestable_reason
from slipway.triton.datatypes import Array


class ServedArtifact:
    """``artifact`` of the model in the folder ``source``, from the start of the block to its end.

    ``ends`` says how servers have ended by themselves; ``fallbacks`` what was changed because this
    machine has no GPU.
    """

    server: Server
    fallbacks: tuple[str, ...]

    def __init__(self, settings: Settings, source: Path, artifact: Path) -> None:
        self.target = f"{source.name}.tar.gz"
        self._source = source
        # how errors name the files of the model's folder
        self.shown = os.path.relpath(source, settings.root)
        self.ends: list[str] = []
        self._settings = settings
        self._artifact = artifact
        self._stack = ExitStack()
        self._replacing = threading.Lock()

    def __enter__(self) -> Self:
        """Start a server and load the artifact.

        Raises:
            SlipwayError: there is no server, it lacks a backend, or the model does not load.
        """
        untestable = untestable_reason(self._source, self._settings)
        if untestable is not None:
            raise untestable
        try:
            self._start()
        except SlipwayError as error:
            died = death_of(error)
            if died is None:
                self._stack.close()
                raise
            self.replace(self.server, died)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self._stack.close()

    def replace(self, dead: Server, died: ServerDiedError) -> Server:
        """Return a new server for the one that has ended, with the artifact loaded.

        Threads that noticed the same end get the same server.

        Raises:
            ServerDiedError: it is the second end; this is its error.
            SlipwayError: as when entering.
        """
        with self._replacing:
            if self.server is dead:
                if self.ends:
                    raise died
                self.ends.append(died.how)
                self._stack.close()
                self._start()
            return self.server

    def _start(self) -> None:
        self.server = self._stack.enter_context(triton.start(self._settings))
        try:
            self.fallbacks = self.server.load(self.target, self._artifact)
        except SlipwayError as error:
            error.what = show_below(self.shown, error.what)
            error.where = f"{self.shown}/{error.where}" if error.where else self.shown
            raise


class ServedModel(Model):
    """A model that answers on whichever server serves its artifact."""

    def __init__(self, served: ServedArtifact) -> None:
        super().__init__(served.server, served.target)
        self._served = served

    def __call__(
        self, inputs: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Array]:
        """See :meth:`Model.__call__`; a request during which the server ended is sent once more.

        Errors show the files of the model's folder, and no calls of this library.
        """
        __tracebackhide__ = True  # of pytest
        try:
            arrays = self.arrays(inputs)
            answer = self._invoke(arrays, parameters)
            self.answered = (arrays, parameters or {})
            return answer
        except InferenceError as error:
            raise InferenceError(error.status, self.readable(error.what)) from None
        except UnansweredError as error:
            raise self.located(error) from None
        except SlipwayError as error:
            raise error.with_traceback(None) from None

    def readable(self, message: str) -> str:
        """Return the model's error with places in its folder, and their lines of code."""
        server, target = self.server, self.target
        hashed, folder = server.model_hash(target), server.folder(target)
        return readable_error(message, hashed, folder, self._served.shown)

    def located(self, error: UnansweredError) -> UnansweredError:
        """Return the error with its places in the model's folder."""
        shown = self._served.shown
        result = UnansweredError(show_below(shown, error.what))
        result.where = f"{shown}/{error.where}" if error.where else shown
        result.fix = error.fix
        return result

    def _invoke(
        self, arrays: Mapping[str, Array], parameters: Mapping[str, Any] | None
    ) -> dict[str, Array]:
        server = self.server
        try:
            return server.invoke(self.target, arrays, parameters)
        except ServerDiedError as died:
            self.replace_server(server, died)
        return self.server.invoke(self.target, arrays, parameters)

    def replace_server(self, dead: Server, died: ServerDiedError) -> None:
        """Continue on a new server.

        Raises:
            SlipwayError: see :meth:`ServedArtifact.replace`.
        """
        self.server = self._served.replace(dead, died)


def death_of(error: SlipwayError) -> ServerDiedError | None:
    """Return the end of a server that ``error`` is about, if it is about one."""
    cause = error if isinstance(error, ServerDiedError) else error.__cause__
    return cause if isinstance(cause, ServerDiedError) else None


def describe_end(how: str) -> str:
    """Return the note on a server that ended ``how``: ``by signal 6 (SIGABRT)``."""
    return f"Triton ended {how} and was started again"
