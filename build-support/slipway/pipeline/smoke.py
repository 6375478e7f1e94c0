"""Whether an endpoint serves a release: its golden cases, asked as an application asks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from slipway.catalog.alias import Alias
from slipway.catalog.catalog import Catalog
from slipway.client import Endpoint, Model, ModelError, request
from slipway.errors import SlipwayError
from slipway.model import interface as interfaces
from slipway.testing import golden

# SageMaker gives a container 360 s to load a model (mms-container-apis.html), and downloads it before
PATIENCE_S = 480.0
TIMES = 3  # each case is asked, once the model is loaded
BLANK = "blank request"


@dataclass(frozen=True)
class Asked:
    """One case. ``seconds`` is the median of its answers once the model was loaded, ``None`` where
    there was none. ``problems`` name the tensor and how it differs; ``note`` is what else is to be
    known."""

    case: str
    problems: tuple[str, ...]
    seconds: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class Answered:
    """What one target model did. ``first_s`` is the time to its first answer, with the load where
    the endpoint had to load it, ``None`` if it never answered."""

    target: str
    first_s: float | None
    cases: tuple[Asked, ...]

    @property
    def passed(self) -> bool:
        """Whether every case was answered as it should be."""
        return not any(case.problems for case in self.cases)


@dataclass(frozen=True)
class Smoke:
    """The smoke test of a name: each target model that it stands for. ``problems`` and ``notes``
    are of the alias."""

    name: str
    endpoint: str
    answered: tuple[Answered, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and all(each.passed for each in self.answered)

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines; times in seconds."""
        return asdict(self) | {"passed": self.passed}


def smoke(
    endpoint: Endpoint,
    where: str,
    folder: Path,
    *,
    target: str | None = None,
) -> Smoke:
    """Ask the endpoint called ``where`` what the golden cases of ``folder`` (``models/<name>``) ask.

    Asked are the target models that the name's alias stands for; with ``target``, that one (its
    release version or a part of its key will do), which the alias has to stand for.

    Raises:
        SlipwayError: the name stands for nothing, ``target`` is no release, or a case is malformed.
    """
    name, catalog = folder.name, endpoint.catalog
    alias = catalog.alias(name)
    if target is None:
        targets = tuple(variant.target for variant in alias.variants)
        problems: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
    else:
        targets = (catalog.resolve(name, target),)
        problems, notes = _alias(catalog, name, alias, targets[0])
    cases = golden.cases(folder)
    answered = tuple(_ask(endpoint.model(name, target=each), each, cases) for each in targets)
    return Smoke(name, where, answered, problems, notes)


def _alias(
    catalog: Catalog, name: str, alias: Alias, expected: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong with the alias, and what is to be known of it."""
    if expected in (variant.target for variant in alias.variants):
        return (), ()
    said = f"{name} stands for {alias} in {catalog.stage}, not for {expected}"
    if catalog.stage == "production":
        return (said,), ()
    # a branch pushed after this one moves the alias of staging, and is right to
    return (), (f"{said}: another branch was published since",)


def _ask(model: Model, target: str, cases: Sequence[Path]) -> Answered:
    """Every case, and the time of the first answer. A target that does not answer at all is asked
    once, not once for every case."""
    asks: list[_Case | _Blank] = [_Case(model, case) for case in cases]
    asks = asks or [_Blank(model)]
    began = time.perf_counter()
    try:
        asks[0].problems()
    except SlipwayError as error:
        return Answered(target, None, (Asked(asks[0].name, (str(error),)),))
    first_s = time.perf_counter() - began
    return Answered(target, first_s, tuple(map(_repeated, asks)))


def _repeated(ask: _Case | _Blank) -> Asked:
    """The case several times: a model that answers now so and now so is found out, too."""
    taken = []
    try:
        for _ in range(TIMES):
            began = time.perf_counter()
            problems = ask.problems()
            taken.append(time.perf_counter() - began)
            if problems or ask.unsent:
                break
    except SlipwayError as error:
        problems = (str(error),)
    seconds = None if ask.unsent or not taken else median(taken)
    return Asked(ask.name, problems, seconds, ask.note)


class _Case:
    """A golden case, put to a model on an endpoint."""

    def __init__(self, model: Model, case: Path) -> None:
        self.name = case.name
        self.note: str | None = None
        self.unsent = False
        self._model = model
        self._case = case
        self._inputs = golden.inputs(case)
        interface = model.interface()
        try:
            request.fit(interface, self._inputs, name=model.name)
        except SlipwayError as error:
            # what the model's tests put to the server itself, its client refuses before
            self.unsent = golden.expected_error(case) is not None
            if self.unsent:
                self.note = f"not sent, the client refuses it: {error.what}"

    def problems(self) -> tuple[str, ...]:
        """Ask; how the answer differs from the one expected.

        Raises:
            SlipwayError: there was no answer.
        """
        if self.unsent:
            return ()
        outcome: golden.Outcome
        try:
            outcome = self._model.predict(self._inputs)
        except ModelError as error:
            outcome = error.message
        return tuple(golden.differences(self._case, outcome))


class _Blank:
    """Zeros and empty strings, for a model without golden cases."""

    name = BLANK
    note = "it has no golden cases, so that only an answer was asked for, whatever it says"
    unsent = False

    def __init__(self, model: Model) -> None:
        self._model = model

    def problems(self) -> tuple[str, ...]:
        """Ask; the model's error, if it gives one.

        Raises:
            SlipwayError: there was no answer.
        """
        try:
            self._model.predict(interfaces.blank(self._model.interface()))
        except ModelError as error:
            case = f"models/{self._model.name}/tests/cases/<case>/{golden.INPUT}"
            return (f"{error.what}; if it is right to, give it a request it can answer: {case}",)
        return ()
