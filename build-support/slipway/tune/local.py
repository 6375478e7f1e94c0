"""A Triton server of this machine, on which candidates run."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from slipway.endpoint.instance.memory import has_processes, model_memory
from slipway.errors import SlipwayError
from slipway.loadtest.address import Address
from slipway.loadtest.inputs import encode_requests
from slipway.server import triton
from slipway.server.client import HOST, ServerGoneError
from slipway.server.server import Server
from slipway.settings import Settings
from slipway.testing.model import Model
from slipway.testing.served_artifact import death_of
from slipway.tune.load import CandidateFailed, Side, in_short
from slipway.tune.place import copy_by_links
from slipway.tune.precision.lowered import Lowered
from slipway.tune.processor_time import ProcessorTime

GONE_S = 20.0  # for processes of an unloaded candidate to end


class LocalPlace:
    """A server with the artifact loaded as it is, from the start of the block to its end.

    Everything lies in the server's own folder, which its supervisor removes even if this process is
    killed. See :class:`slipway.tune.place.Place`.
    """

    server: Server
    fallbacks: tuple[str, ...]

    def __init__(self, settings: Settings, folder: Path, artifact: Path) -> None:
        self.name = folder.resolve().name
        self.lowered: Lowered | None = None
        self._settings = settings
        self._folder = folder
        self._artifact = artifact
        self._stack = ExitStack()
        self._number = 0
        self._base = f"{self.name}.tar.gz"

    def __enter__(self) -> Self:
        """Start the server and load the artifact.

        Raises:
            SlipwayError: there is no server, or the model does not load.
        """
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self._stack.close()

    def describe(self) -> str:
        """See :class:`slipway.tune.place.Place`."""
        return self.server.describe(self._base)

    @property
    def baseline(self) -> Side:
        """See :class:`slipway.tune.place.Place`."""
        return self.side(self._base, baseline=True)

    @property
    def baseline_model(self) -> Model:
        """See :class:`slipway.tune.place.Place`."""
        return Model(self.server, self._base)

    def folder(self, target: str | None = None) -> Path:
        """See :class:`slipway.tune.place.Place`."""
        return self.server.folder(target or self._base)

    def side(self, target: str, *, baseline: bool = False) -> Side:
        """See :class:`slipway.tune.place.Place`."""
        model = Model(self.server, target)
        requests, _ = encode_requests(self.name, target, model.interface, self._folder, None)
        path = f"/models/{self.server.model_hash(target)}/invoke"
        address = Address(f"http://{HOST}:{self.server.port}{path}", entrance=self.server.entrance)
        return Side(address, requests, baseline)

    @contextmanager
    def changed[T](self, change: Callable[[Path], T]) -> Iterator[tuple[Model, T]]:
        """See :class:`slipway.tune.place.Place`. If the server ends, a new one is started, and the
        candidate has failed."""
        self._number += 1
        target = f"{self.name}_tune{self._number}.tar.gz"
        folder = self.folder(target)
        try:
            copy_by_links(self.folder(), folder)
            result = change(folder)
            self._load(target)
            yield Model(self.server, target), result
        except (SlipwayError, CandidateFailed) as error:
            # whatever was noticed first: the candidate is the only one that is new
            died = isinstance(error, SlipwayError) and death_of(error) is not None
            if died or not self.server.client.ready():
                self._stack.close()
                self._start()
                text = in_short(error) if isinstance(error, SlipwayError) else str(error)
                raise CandidateFailed(f"the server ended: {text}") from error
            raise
        finally:
            self._remove(target, folder)

    def memory(self, target: str) -> tuple[int, int] | None:
        """See :class:`slipway.tune.place.Place`; a native backend hides it in the server's
        process."""
        mine, theirs = (
            model_memory(self.server.supervisor, self.folder(each)) for each in (target, self._base)
        )
        return (mine, theirs) if mine and theirs else None

    def cpu_seconds(self) -> float | None:
        """See :class:`slipway.tune.place.Place`."""
        return self._processors.seconds()

    def _start(self) -> None:
        self.server = self._stack.enter_context(triton.start(self._settings))
        self._processors = ProcessorTime(self.server.supervisor)
        self.fallbacks = self.server.load(self._base, self._artifact)

    def _load(self, target: str) -> None:
        try:
            self.server.load_extracted(target)
        except ServerGoneError:
            raise
        except SlipwayError as error:
            if death_of(error) is not None:
                raise
            raise CandidateFailed(in_short(error)) from error

    def _remove(self, target: str, folder: Path) -> None:
        with suppress(SlipwayError):
            self.server.unload(target)
        end = time.monotonic() + GONE_S
        while has_processes(self.server.supervisor, folder) and time.monotonic() < end:
            time.sleep(0.05)
        shutil.rmtree(folder.parent, ignore_errors=True)
