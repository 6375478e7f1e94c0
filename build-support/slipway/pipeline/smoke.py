"""Test whether an endpoint serves a release: invoke it with the model's golden cases."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from slipway.catalog.alias import Alias
from slipway.catalog.catalog import Catalog
from slipway.client import Endpoint, Model, ModelError
from slipway.client.request import fit
from slipway.errors import SlipwayError
from slipway.model.container_folder import is_container
from slipway.model.interface import blank_request
from slipway.pipeline.container_request import ContainerRequest, container_requests
from slipway.testing import golden

# SageMaker gives a container 360 s to load a model (mms-container-apis.html), after its download
DEADLINE_S = 480.0
REPETITIONS = 3  # of each case, once the model is loaded
BLANK = "blank request"


@dataclass(frozen=True)
class CaseResult:
    """The result of one case. ``seconds`` is the median time of its answers once the model was
    loaded, ``None`` without an answer. ``problems`` name the tensor and how it differs."""

    case: str
    problems: tuple[str, ...]
    seconds: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class TargetResult:
    """The result of one target model. ``first_s`` is the time to its first answer, including a load
    by the endpoint; ``None`` if it never answered."""

    target: str
    first_s: float | None
    cases: tuple[CaseResult, ...]

    @property
    def passed(self) -> bool:
        """Return whether every answer was as expected."""
        return not any(case.problems for case in self.cases)


@dataclass(frozen=True)
class SmokeResult:
    """The smoke test's result for each target model of a name's alias; ``problems`` and ``notes``
    are about the alias."""

    name: str
    endpoint: str
    answered: tuple[TargetResult, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Return whether there are no problems."""
        return not self.problems and all(target.passed for target in self.answered)

    def as_json(self) -> dict[str, Any]:
        """Return the complete result as JSON; times in seconds."""
        return asdict(self) | {"passed": self.passed}


def run_smoke_test(
    endpoint: Endpoint,
    endpoint_name: str,
    folder: Path,
    *,
    target: str | None = None,
) -> SmokeResult:
    """Invoke the endpoint with the golden cases of ``folder`` (``models/<name>``).

    The target models are those of the name's alias; with ``target`` (a target model, its release
    version or a part of its key), that one, to which the alias has to point.

    Raises:
        SlipwayError: the name has no alias, ``target`` is not a release, or a case is malformed.
    """
    name, catalog = folder.name, Catalog(endpoint.catalog.source)
    alias = catalog.alias(name)
    if target is None:
        targets = tuple(variant.target for variant in alias.variants)
        problems: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
    else:
        targets = (catalog.resolve(name, target),)
        problems, notes = _check_alias(catalog, name, alias, targets[0])
    results = tuple(_test_target(t, _requests(endpoint, folder, t)) for t in targets)
    return SmokeResult(name, endpoint_name, results, problems, notes)


def _check_alias(
    catalog: Catalog, name: str, alias: Alias, expected: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the alias's problems and notes."""
    if expected in (variant.target for variant in alias.variants):
        return (), ()
    message = f'{catalog.stage} alias "{name}" → {alias}, expected {expected}'
    if catalog.stage == "production":
        return (message,), ()
    # a branch pushed after this one moves the alias of staging, which is correct
    return (), (f"{message}: another branch was published since",)


def _requests(endpoint: Endpoint, folder: Path, target: str) -> Sequence[_Request]:
    if is_container(folder):
        return tuple(container_requests(endpoint, folder, target))
    model = endpoint.model(folder.name, target=target)
    return [_GoldenRequest(model, case) for case in golden.cases(folder)] or [_BlankRequest(model)]


def _test_target(target: str, requests: Sequence[_Request]) -> TargetResult:
    """Test every case, and measure the time of the first answer. A target that does not answer is
    invoked once, not once for every case."""
    start = time.perf_counter()
    try:
        requests[0].problems()
    except SlipwayError as error:
        return TargetResult(target, None, (CaseResult(requests[0].name, (str(error),)),))
    first_s = time.perf_counter() - start
    return TargetResult(target, first_s, tuple(map(_test_case, requests)))


def _test_case(request: _Request) -> CaseResult:
    """Send the request several times: a model that answers inconsistently is detected, too."""
    times = []
    try:
        for _ in range(REPETITIONS):
            start = time.perf_counter()
            problems = request.problems()
            times.append(time.perf_counter() - start)
            if problems or request.unsent:
                break
    except SlipwayError as error:
        problems = (str(error),)
    seconds = None if request.unsent or not times else median(times)
    return CaseResult(request.name, problems, seconds, request.note)


class _GoldenRequest:
    """A golden case, to send to a model on an endpoint."""

    def __init__(self, model: Model, case: Path) -> None:
        self.name = case.name
        self.note: str | None = None
        self.unsent = False
        self._model = model
        self._case = case
        self._inputs = golden.inputs(case)
        self._parameters = golden.parameters(case)
        interface = model.interface()
        try:
            fit(interface, self._inputs, name=model.name)
        except SlipwayError as error:
            # the model's tests send this request to the server; its client refuses to
            self.unsent = golden.expected_error(case) is not None
            if self.unsent:
                self.note = f"not sent, because the client refuses it: {error.what}"

    def problems(self) -> tuple[str, ...]:
        """Send the request; return how the answer differs from the expected one.

        Raises:
            SlipwayError: the endpoint did not answer.
        """
        if self.unsent:
            return ()
        outcome: golden.Outcome
        try:
            outcome = self._model.predict(self._inputs, parameters=self._parameters)
        except ModelError as error:
            outcome = error.message
        return tuple(golden.differences(self._case, outcome))


class _BlankRequest:
    """A request of zeros and empty strings, for a model without golden cases."""

    name = BLANK
    note = "without golden cases, any answer passes"
    unsent = False

    def __init__(self, model: Model) -> None:
        self._model = model

    def problems(self) -> tuple[str, ...]:
        """Send the request; return the model's error, if any.

        Raises:
            SlipwayError: the endpoint did not answer.
        """
        try:
            self._model.predict(blank_request(self._model.interface()))
        except ModelError as error:
            case = f"models/{self._model.name}/tests/cases/<case>/{golden.INPUT}"
            return (f"{error.what}; if that is correct, add a request it can answer: {case}",)
        return ()


type _Request = _GoldenRequest | _BlankRequest | ContainerRequest
