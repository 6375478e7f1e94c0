"""Measure candidates on the local server: load, hold against the answers, ask in turns, keep."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slipway.errors import SlipwayError
from slipway.loadtest.inputs import expects_error
from slipway.testing import golden
from slipway.tune.answers import Answers
from slipway.tune.candidate import BASELINE, PRECISION, Candidate, describe
from slipway.tune.estimate import Clients
from slipway.tune.load import BLOCK_S, CandidateFailed, CandidateTooSlow, measure_pairs
from slipway.tune.place import Place, loaded
from slipway.tune.precision.calibration import expose_in, record_inputs
from slipway.tune.precision.judge import Judge
from slipway.tune.sample import Measured
from slipway.tune.state import State

LOAD_S = 5.0  # guessed, until one was loaded
JUDGE_S = 30.0
SLACK = 1.6  # of a block: warming up, and its last answers

type ShowProgress = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Terms:
    """How to measure: ``budget_s`` for all of it, blocks of ``block_s``."""

    clients: Clients
    budget_s: float
    seed: int = 0
    block_s: float = BLOCK_S


class Session:
    """Measures candidates at a place, and keeps what it measures in ``state``.

    See :class:`slipway.tune.search.Measurer`. The budget begins now.
    """

    def __init__(
        self,
        place: Place,
        answers: Answers,
        state: State,
        terms: Terms,
        progress: ShowProgress,
        judge: Judge | None = None,
    ) -> None:
        self.reused = len(state.measured)
        self._place = place
        self._answers = answers
        self._state = state
        self._terms = terms
        self._progress = progress
        self._judge = judge
        self._random = np.random.default_rng(terms.seed)
        self._end = time.monotonic() + terms.budget_s
        self._loads: list[float] = []
        self._rounds: list[float] = []

    @property
    def measured(self) -> Mapping[Candidate, Measured]:
        """See :class:`slipway.tune.search.Measurer`."""
        return self._state.measured

    def left(self) -> float:
        """See :class:`slipway.tune.search.Measurer`."""
        return self._end - time.monotonic()

    def cost(self, candidate: Candidate, rounds: int) -> float:
        """See :class:`slipway.tune.search.Measurer`."""
        load = max(self._loads[-5:], default=LOAD_S)
        numbers = len(self._terms.clients.numbers)
        usual = 2 * numbers * SLACK * self._terms.block_s
        each = max(self._rounds[-5:], default=usual)
        judged = _precision(candidate)
        judging = JUDGE_S if judged and judged not in self._state.judged else 0.0
        return load + judging + each * (rounds - self._done(candidate))

    def measure(self, candidate: Candidate, rounds: int) -> None:
        """See :class:`slipway.tune.search.Measurer`."""
        measured = self._state.measured.setdefault(candidate, Measured())
        with self._progress(f"{describe(candidate)} ({self.left():.0f} s left)"):
            try:
                self._measure(candidate, measured, rounds)
            except CandidateFailed as failed:
                measured.failure = str(failed)
                measured.passing = isinstance(failed, CandidateTooSlow)
        if candidate == BASELINE and measured.failure is not None:
            raise SlipwayError(
                f"the config as it is, loaded a second time, fails: {measured.failure}",
                fix="there may be no room for two, or too little time: run the same command on a"
                " larger machine, or when less runs on this one",
            )
        self._state.save()

    def _measure(self, candidate: Candidate, measured: Measured, rounds: int) -> None:
        begin = time.monotonic()
        if (changed := _precision(candidate)) and changed not in self._state.judged:
            self._state.judged[changed] = self._objection(changed)
        if changed and (objection := self._state.judged[changed]) is not None:
            raise CandidateFailed(objection)
        with loaded(self._place, candidate) as (model, _):
            if not measured.pairs:
                self._answers.check(model)
            self._loads.append(time.monotonic() - begin)
            numbers = self._terms.clients.numbers
            missing = [
                clients
                for round_number in range(rounds)
                for clients in numbers
                if measured.rounds(clients) <= round_number
            ]
            begin = time.monotonic()
            side = self._place.side(model.target)
            measured.pairs += measure_pairs(
                self._place.baseline,
                side,
                missing,
                self._place.cpu_seconds,
                self._random,
                self._terms.block_s,
            )
            measured.memory = self._place.memory(model.target)
            self._rounds.append((time.monotonic() - begin) * len(numbers) / len(missing))

    def _objection(self, changed: Candidate) -> str | None:
        """Return why the evaluation refuses lowered weights, once their answers are right."""
        if self._judge is None:
            return "there is no evaluation to judge its precision"
        with loaded(self._place, changed) as (model, _):
            self._answers.check(model)
            return self._judge.objection(self._place.folder(model.target))

    def _done(self, candidate: Candidate) -> int:
        measured = self._state.measured.get(candidate)
        if measured is None:
            return 0
        return min(measured.rounds(number) for number in self._terms.clients.numbers)


def hold_baseline(answers: Answers, place: Place) -> None:
    """Ask the config as it is what every candidate will be asked.

    Raises:
        SlipwayError: it does not answer as its golden cases say.
    """
    try:
        answers.check(place.baseline_model)
    except CandidateFailed as failed:
        raise SlipwayError(
            f"the model as it is does not hold: {failed}",
            where=f"models/{place.name}",
            fix=f"slipway test {place.name}",
        ) from failed


def calibration_requests(
    place: Place, folder: Path, served: str, step: str
) -> list[Mapping[str, np.ndarray]]:  # type: ignore[type-arg]
    """Return what ``step`` is asked for each golden case of the model in ``folder``.

    Raises:
        CandidateFailed: it cannot be seen: no step of the ensemble, and not the served model.
    """
    if all(expects_error(case) for case in golden.cases(folder)):
        return []
    if served == step:
        return record_inputs(place.baseline_model, {}, folder)
    with place.changed(lambda copy: expose_in(copy, served, step)) as (model, tensors):
        if not tensors:
            raise CandidateFailed(f"what {step} is asked cannot be seen: no step of {served}")
        return record_inputs(model, tensors, folder)


def _precision(candidate: Candidate) -> Candidate:
    return tuple(change for change in candidate if change.name == PRECISION)
