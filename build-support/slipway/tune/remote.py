"""A multi-model endpoint, local or in AWS, to which candidates are sent as target models."""

from __future__ import annotations

import glob
import secrets
import shutil
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from slipway.artifact.extract import extract
from slipway.catalog import keys
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.loadtest.address import Address
from slipway.loadtest.exchange import Request
from slipway.loadtest.generator import message_of_failure
from slipway.loadtest.inputs import encode_requests
from slipway.loadtest.run import LOADING_S, PAUSE_S
from slipway.model.config_interface import interface_of_folder
from slipway.model.interface import Interface
from slipway.server import supervisor_client
from slipway.server.client import InferenceError
from slipway.store.stage import StageStore
from slipway.testing.model import Model
from slipway.triton import kserve
from slipway.triton.datatypes import Array
from slipway.tune.load import TIMEOUT_S, CandidateFailed, Side, in_short
from slipway.tune.place import copy_by_links
from slipway.tune.precision.lowered import Lowered

LOADING = 429  # the platform still loads the model (AWS, mms-container-apis.html)
COMPRESSION = 1  # a candidate is read once


class RemoteModel(Model):
    """A target model of an endpoint, called as a served one is."""

    def __init__(self, address: Address, target: str, interface: Interface) -> None:
        self.target = target
        self.interface = interface
        self.answered = None
        self._address = address

    def __call__(
        self, inputs: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Array]:
        """See :meth:`Model.__call__`; waits while the endpoint loads the model."""
        body, content_type = kserve.encode(self.arrays(inputs), parameters=parameters)
        request = Request(self.target, body, content_type)
        end = time.monotonic() + LOADING_S
        while True:
            status, kind, answer = self._post(request)
            if status != LOADING or time.monotonic() > end:
                break
            time.sleep(PAUSE_S)
        if status != 200:
            raise InferenceError(status, message_of_failure(status, answer))
        return kserve.decode(answer, kind)

    def _post(self, request: Request) -> tuple[int, str, bytes]:
        post = urllib.request.Request(
            self._address.url, request.body, dict(self._address.headers(request))
        )
        try:
            with urllib.request.urlopen(post, timeout=TIMEOUT_S) as response:
                return response.status, response.headers.get("Content-Type", ""), response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, "", error.read()
        except OSError as error:
            raise SlipwayError(
                f"the endpoint does not answer: {error}",
                where=self._address.url,
                fix="slipway endpoint up, or correct --endpoint or --url",
            ) from error


class RemotePlace:
    """An endpoint at ``address`` that loads from ``store``, from the start of the block to its end.

    The artifact as it is and each candidate are objects below the endpoint's prefix, which are
    removed again; what a killed run has left, the next one of the same model removes. See
    :class:`slipway.tune.place.Place`.
    """

    def __init__(self, address: Address, store: StageStore, folder: Path, artifact: Path) -> None:
        self.name = folder.resolve().name
        self.lowered: Lowered | None = None
        self.fallbacks: tuple[str, ...] = ()
        self._address = address
        self._store = store
        self._folder = folder
        self._artifact = artifact
        self._stack = ExitStack()
        self._token = secrets.token_hex(4)
        self._number = 0
        self._base = self._target("base")

    def __enter__(self) -> Self:
        """Send the artifact as it is, and wait until it answers.

        Raises:
            SlipwayError: it is production's, or the store cannot be written.
        """
        if self._store.name == "production":
            raise SlipwayError(
                "production takes releases only, and a search overloads its endpoint",
                fix="--endpoint staging, or no --endpoint: a server of this machine",
            )
        with ExitStack() as stack:
            self._work = Path(tempfile.gettempdir()).resolve() / f"slipway_tune_{self._token}"
            # removes the folder even if this process is killed
            keeper = supervisor_client.start_supervisor(None, [glob.escape(str(self._work))])
            stack.callback(supervisor_client.stop_supervisor, keeper)
            self._work.mkdir(mode=0o700)
            for stale in self._store.store.keys(f"{keys.models(self._store.name)}{self._prefix}"):
                self._store.store.delete(stale)
            extract(self._artifact, self.folder())
            stack.enter_context(self._sent(self._base, self._artifact))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was sent."""
        self._stack.close()

    def describe(self) -> str:
        """See :class:`slipway.tune.place.Place`."""
        return f"the endpoint at {self._address.url}"

    @property
    def baseline(self) -> Side:
        """See :class:`slipway.tune.place.Place`."""
        return self.side(self._base, baseline=True)

    @property
    def baseline_model(self) -> Model:
        """See :class:`slipway.tune.place.Place`."""
        return self._model(self._base)

    def folder(self, target: str | None = None) -> Path:
        """See :class:`slipway.tune.place.Place`."""
        return self._work / (target or self._base) / "model"

    def side(self, target: str, *, baseline: bool = False) -> Side:
        """See :class:`slipway.tune.place.Place`."""
        interface = interface_of_folder(self.folder(target))
        requests, _ = encode_requests(self.name, target, interface, self._folder, None)
        return Side(self._address, requests, baseline)

    @contextmanager
    def changed[T](self, change: Callable[[Path], T]) -> Iterator[tuple[Model, T]]:
        """See :class:`slipway.tune.place.Place`."""
        self._number += 1
        target = self._target(str(self._number))
        folder = self.folder(target)
        try:
            copy_by_links(self.folder(), folder)
            result = change(folder)
            packed = self._work / target / "candidate.tar.gz"
            with tarfile.open(packed, "w:gz", compresslevel=COMPRESSION) as tar:
                for path in sorted(folder.iterdir()):
                    tar.add(path, path.name)
            with self._sent(target, packed):
                yield self._model(target), result
        finally:
            shutil.rmtree(folder.parent, ignore_errors=True)

    def memory(self, target: str) -> tuple[int, int] | None:
        """Return ``None``: an endpoint's processes cannot be seen."""
        return None

    def cpu_seconds(self) -> float | None:
        """Return ``None``: an endpoint's processes cannot be seen."""
        return None

    @property
    def _prefix(self) -> str:
        return f"{self.name}_tune-"

    def _target(self, what: str) -> str:
        return f"{self._prefix}{self._token}-{what}.tar.gz"

    def _model(self, target: str) -> RemoteModel:
        return RemoteModel(self._address, target, interface_of_folder(self.folder(target)))

    @contextmanager
    def _sent(self, target: str, artifact: Path) -> Iterator[None]:
        key = keys.artifact(self._store.name, target)
        try:
            self._store.store.create_file(key, artifact, sha256_of(artifact))
            yield
        except SlipwayError as error:
            if isinstance(error, InferenceError):
                raise CandidateFailed(in_short(error)) from error
            raise
        finally:
            self._store.store.delete(key)
