"""Hold a candidate's answers against the golden cases, or against those of the config as it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.loadtest.inputs import SEQUENCE, select_inputs
from slipway.server.client import InferenceError, UnansweredError
from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton.comparison import compare_outputs
from slipway.triton.datatypes import Array
from slipway.tune.load import CandidateFailed, CandidateTooSlow, in_short

TOGETHER = 8
TIMES = 2


class Answers:
    """What every candidate has to answer; ``origin`` says where it is from.

    ``reference`` is the config as it is; its answers are taken where there are no golden cases.
    ``together`` requests are asked at the same time, so that they are joined to batches.
    """

    def __init__(self, folder: Path, reference: Model, together: int = TOGETHER) -> None:
        self._together = together
        self._cases = [case for case in golden.cases(folder) if (case / golden.EXPECTED).is_file()]
        self._sequences = any(SEQUENCE in golden.parameters(case) for case in self._cases)
        self._blank: Mapping[str, Array] = {}
        self._expected: Mapping[str, Array] = {}
        self.origin = f"{len(self._cases)} golden cases"
        if not self._cases:
            (selected,), self.origin = select_inputs(folder.name, reference.interface, folder, None)
            self.origin = f"its own answers to {self.origin}"
            self._blank = selected.arrays
            self._expected = reference(self._blank)

    def check(self, model: Model) -> None:
        """Ask every case alone, then all of them together several times.

        Requests that wait together may be joined: a graph that mixes the rows of a batch answers
        alone as it should.

        Raises:
            CandidateFailed: an answer differs by more than its tolerances, or is missing.
        """
        work: list[Callable[[], list[str]]] = [
            lambda case=case: self._differences(model, case)  # type: ignore[misc]
            for case in self._cases
        ] or [lambda: compare_outputs(self._expected, model(self._blank), {})]
        for ask in work:
            _refuse(_asked(ask), "")
        if self._sequences:
            return
        with ThreadPoolExecutor(self._together) as pool:
            many = list(
                itertools.islice(itertools.cycle(work), max(len(work), self._together) * TIMES)
            )
            for differences in pool.map(_asked, many):
                _refuse(differences, "asked together with others, ")

    def _differences(self, model: Model, case: Path) -> list[str]:
        try:
            got: Any = model(golden.inputs(case), golden.parameters(case))
        except InferenceError as error:
            got = error.what
        return [f"{case.name}: {line}" for line in golden.differences(case, got)]


def _asked(ask: Callable[[], list[str]]) -> list[str]:
    try:
        return ask()
    except UnansweredError as error:
        raise CandidateTooSlow(in_short(error)) from error
    except SlipwayError as error:
        return [in_short(error)]


def _refuse(differences: list[str], how: str) -> None:
    if differences:
        more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
        raise CandidateFailed(f"{how}it answers otherwise: {differences[0]}{more}")
