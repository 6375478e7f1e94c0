"""How the real Triton handles a model folder, valid or not: load it, invoke it, compare."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from slipway.server import triton
from slipway.server.client import TARGET, ServerGoneError
from slipway.server.server import Server
from slipway.settings import Settings
from slipway.triton import kserve
from slipway.triton.datatypes import Array
from slipway.triton.kserve import message_of
from tests import fixture_models
from tests.check.endpoint_layout import copy_as_packed

NUMPY = ("numpy", "numpy.libs")
PATIENCE_S = 20.0
# of a server that has loaded others: one that is silent is asked again on a server of its own
FIRST_PATIENCE_S = 5.0
# a server keeps its models until it stops: unloading after a process has died takes minutes
LOADS_PER_SERVER = 20
SILENT = f"no answer in {PATIENCE_S:g} s"
DEAD = "the server dies"
OTHER_VALUES = "has other values"
RELATIVE, ABSOLUTE = 1e-4, 1e-5

type ServerAnswer = dict[str, Array] | str
"""The outputs by name, or the error's status and message."""
type ServerRequest = tuple[bytes, str]
"""A request's body and content type."""


@dataclass(frozen=True)
class Outcome:
    """``refused`` is empty, or status and message of the failed load; one answer per request."""

    refused: str
    answers: tuple[ServerAnswer, ...] = ()


def as_json(request: Mapping[str, Any]) -> ServerRequest:
    """Return a KServe v2 request for binary outputs, since JSON has no FP16."""
    parameters = {**request.get("parameters", {}), "binary_data_output": True}
    return json.dumps({**request, "parameters": parameters}).encode(), "application/json"


def as_arrays(inputs: Mapping[str, Array]) -> ServerRequest:
    """Return a request with binary inputs."""
    return kserve.encode(inputs)


def difference(right: Outcome, actual: Outcome) -> str:
    """Return what is wrong with ``actual``; empty if a client cannot distinguish the outcomes."""
    if actual.refused:
        return actual.refused
    # a server that dies leaves the last requests without an answer
    for expected, answer in zip(right.answers, actual.answers, strict=False):
        if isinstance(expected, str) or isinstance(answer, str):
            if expected != answer:
                return str(answer) if isinstance(answer, str) else "no error"
            continue
        for name, array in expected.items():
            wrong = _differs(name, array, answer)
            if wrong:
                return wrong
    return "" if len(actual.answers) == len(right.answers) else DEAD


def _differs(name: str, array: Array, answer: Mapping[str, Array]) -> str:
    actual = answer.get(name)
    if actual is None:
        return f"wrong answer: {name} is missing"
    if actual.dtype != array.dtype or actual.shape != array.shape:
        description = f"{actual.dtype}{list(actual.shape)}, not {array.dtype}{list(array.shape)}"
        return f"wrong answer: {name} is {description}"
    if array.dtype.kind == "f":
        same = np.allclose(actual, array, RELATIVE, ABSOLUTE, equal_nan=True)
    else:
        same = np.array_equal(actual, array)
    return "" if same else f"wrong answer: {name} {OTHER_VALUES}"


class RealServer:
    """Servers started as on an endpoint, one after the other: a broken one is replaced.

    Python models find numpy through PATH, where the server's stub searches for its Python, so that
    their configs are not modified.
    """

    def __init__(self, work: Path, packages: Sequence[str] = NUMPY) -> None:
        self._settings = Settings(root=work)
        self._auto_complete = False
        self._patience_s = PATIENCE_S
        self._running = ExitStack()
        self._server: Server | None = None
        self._loaded: list[str] = []
        work.mkdir(parents=True, exist_ok=True)
        home = work / "environment"
        fixture_models.environment(home)
        site = next(home.glob("lib/*/site-packages"))
        shutil.rmtree(site)
        site.mkdir()
        for name in packages:
            (site / name).symlink_to(Path(np.__file__).parent.parent / name)
        self._path = f"{home / 'bin'}:/usr/bin:/bin"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def outcome(
        self,
        folder: Path,
        requests: Sequence[ServerRequest],
        preloaded: Sequence[Path] = (),
        *,
        auto_complete: bool = False,
    ) -> Outcome:
        """Load the files of ``folder`` that packing takes, then send the ``requests`` in order.

        The folders ``preloaded`` are loaded first. ``auto_complete`` is that of the server.
        """
        if auto_complete != self._auto_complete:
            self._stop()
            self._auto_complete = auto_complete
        # never two of one name: the server would use the other's models
        if preloaded or folder.name in self._loaded or len(self._loaded) >= LOADS_PER_SERVER:
            self._stop()
        has_loaded = bool(self._loaded)
        self._patience_s = FIRST_PATIENCE_S if has_loaded else PATIENCE_S
        outcome = self._attempt(folder, requests, preloaded)
        errors = {outcome.refused, *(a for a in outcome.answers if isinstance(a, str))}
        # an earlier load may have caused the failure
        if not has_loaded or errors.isdisjoint({DEAD, SILENT}):
            return outcome
        self._patience_s = PATIENCE_S
        return self._attempt(folder, requests, preloaded)

    def _attempt(
        self, folder: Path, requests: Sequence[ServerRequest], preloaded: Sequence[Path]
    ) -> Outcome:
        for other in preloaded:
            self._load(other)
        target, loaded = self._load(folder)
        if isinstance(loaded, str):
            return Outcome(loaded)
        return Outcome("", tuple(self._answers(target, requests)))

    def _load(self, folder: Path) -> tuple[str, ServerAnswer]:
        server = self._ready()
        self._loaded.append(folder.name)
        target = f"model_{len(self._loaded)}"
        copy_as_packed(folder, server.folder(target))
        server.prepare(target)
        order = {"model_name": server.model_hash(target), "url": str(server.folder(target))}
        request = (json.dumps(order).encode(), "application/json")
        return target, self._call(server, target, "/models", request)

    def _answers(self, target: str, requests: Sequence[ServerRequest]) -> Iterator[ServerAnswer]:
        for request in requests:
            if self._server is None:
                return
            path = f"/models/{self._server.model_hash(target)}/invoke"
            yield self._call(self._server, target, path, request)

    def _call(self, server: Server, target: str, path: str, request: ServerRequest) -> ServerAnswer:
        body, kind = request
        headers = {TARGET: target, "Content-Type": kind}
        try:
            answer = server.client.call("POST", path, body, headers, timeout_s=self._patience_s)
        except ServerGoneError as error:
            self._stop()
            return SILENT if isinstance(error.__cause__, TimeoutError) else DEAD
        if answer.status != 200:
            message = message_of(answer.status, answer.body).replace(str(server.folder(target)), "")
            message = re.sub(r"(?<![\w:])(::|/)(?=\w)", "", message)
            return f"{answer.status} {re.sub(rf'\b{target}(?!\d)', 'MODEL', message)}"
        if path == "/models":
            return {}
        return kserve.decode(answer.body, answer.content_type)

    def _ready(self) -> Server:
        if self._server is None:
            starting = triton.start(
                self._settings,
                environment={"PATH": self._path},
                auto_complete=self._auto_complete,
            )
            self._server = self._running.enter_context(starting)
        return self._server

    def _stop(self) -> None:
        self._server = None
        self._loaded = []
        self._running.close()
