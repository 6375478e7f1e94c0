"""The local server on which candidates run, each next to the config as it is."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

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
from slipway.tune.candidate import PRECISION, Candidate
from slipway.tune.config_edit import changes_of, config_file, edit_file
from slipway.tune.load import CandidateFailed, Side
from slipway.tune.precision.lowered import Lowered

GONE_S = 20.0  # for processes of an unloaded candidate to end


class Place:
    """A server with the artifact loaded as it is, from the start of the block to its end.

    Everything lies in the server's own folder, which its supervisor removes even if this process is
    killed.
    """

    server: Server
    fallbacks: tuple[str, ...]

    def __init__(self, settings: Settings, folder: Path, artifact: Path) -> None:
        self.name = folder.resolve().name
        self._settings = settings
        self._folder = folder
        self._artifact = artifact
        self.lowered: Lowered | None = None
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

    @property
    def baseline(self) -> Side:
        """Return the config as it is."""
        return self.side(self._base, baseline=True)

    @property
    def baseline_model(self) -> Model:
        """Return the model as it is, to be called."""
        return Model(self.server, self._base)

    @property
    def extracted(self) -> Path:
        """Return the folder of the artifact as it is."""
        return self.server.folder(self._base)

    def side(self, target: str, *, baseline: bool = False) -> Side:
        """Return where a loaded target is asked, and with what."""
        model = Model(self.server, target)
        requests, self.inputs = encode_requests(
            self.name, target, model.interface, self._folder, None
        )
        path = f"/models/{self.server.model_hash(target)}/invoke"
        address = Address(f"http://{HOST}:{self.server.port}{path}", entrance=self.server.entrance)
        return Side(address, requests, baseline)

    @contextmanager
    def loaded(self, candidate: Candidate) -> Iterator[Model]:
        """Load ``candidate`` next to the config as it is until the block ends.

        Raises:
            CandidateFailed: it does not load, or its server ends; a new one is started then.
        """
        with self.changed(lambda folder: self._change(candidate, folder)) as (model, _):
            yield model

    @contextmanager
    def changed[T](self, change: Callable[[Path], T]) -> Iterator[tuple[Model, T]]:
        """Load a copy of the artifact that ``change`` has changed, until the block ends; yield it
        and what ``change`` returned.

        Raises:
            CandidateFailed: see :meth:`loaded`.
        """
        self._number += 1
        target = f"{self.name}_tune{self._number}.tar.gz"
        folder = self.server.folder(target)
        try:
            folder.parent.mkdir(parents=True)
            # by links: an environment has thousands of files
            shutil.copytree(self.extracted, folder, symlinks=True, copy_function=os.link)
            result = change(folder)
            self.server.load_extracted(target)
            yield Model(self.server, target), result
        except CandidateFailed:
            if not self.server.client.ready():
                self._restart()
            raise
        except ServerGoneError as error:
            raise self._restarted(error) from error
        except SlipwayError as error:
            if death_of(error) is not None or not self.server.client.ready():
                raise self._restarted(error) from error
            raise CandidateFailed(_in_short(error)) from error
        finally:
            self._remove(target, folder)

    def memory(self, target: str) -> tuple[int, int] | None:
        """Return the memory of a target's processes and of those of the config as it is, in bytes;
        ``None`` where a native backend hides it in the server's process."""
        mine, theirs = (
            model_memory(self.server.supervisor, self.server.folder(each))
            for each in (target, self._base)
        )
        return (mine, theirs) if mine and theirs else None

    def cpu_seconds(self) -> float | None:
        """Return the processor time of the server and all its models so far, in seconds."""
        total = 0.0
        for process in psutil.Process(self.server.supervisor).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def _start(self) -> None:
        self.server = self._stack.enter_context(triton.start(self._settings))
        self.fallbacks = self.server.load(self._base, self._artifact)

    def _change(self, candidate: Candidate, folder: Path) -> None:
        for model in {change.model for change in candidate}:
            changes = changes_of(candidate, model)
            precision = changes.pop(PRECISION, None)
            if changes:
                edit_file(config_file(folder, model), changes)
            if precision is not None:
                if self.lowered is None:
                    raise CandidateFailed("no weights of this precision")
                self.lowered.replace(self.extracted, folder, model, str(precision))

    def _remove(self, target: str, folder: Path) -> None:
        with suppress(SlipwayError):
            self.server.unload(target)
        end = time.monotonic() + GONE_S
        while has_processes(self.server.supervisor, folder) and time.monotonic() < end:
            time.sleep(0.05)
        shutil.rmtree(folder.parent, ignore_errors=True)

    def _restarted(self, error: SlipwayError) -> CandidateFailed:
        self._restart()
        return CandidateFailed(f"the server ended: {_in_short(error)}")

    def _restart(self) -> None:
        self._stack.close()
        self._start()


def _in_short(error: SlipwayError) -> str:
    """Return what failed, and the first line of its cause."""
    lines = [line.strip() for line in error.what.splitlines() if line.strip()]
    return ": ".join(lines[:2]) or "it failed"
