"""Random mistakes that the ONNX Runtime backend judges: check and the backend must agree on them.

``python -m tests.check.mutation --native`` makes many more.
"""

from __future__ import annotations

import pytest

from tests.check.mutation import kinds, trials
from tests.check.mutation.native_samples import native_samples
from tests.check.mutation.trials import Trial

COUNT = 25


@pytest.fixture(scope="module")
def results() -> list[Trial]:
    """Return a few trials, the same each time."""
    return list(trials.run(native_samples(), seed=0, count=COUNT, shares=kinds.NATIVE_KINDS))


def test_check_finds_what_the_backend_refuses_or_answers_wrongly(results: list[Trial]) -> None:
    assert sum(1 for trial in results if trial.fails) > COUNT // 4
    assert [trial for trial in results if trial.missed] == []


def test_check_flags_nothing_that_the_backend_serves(results: list[Trial]) -> None:
    assert sum(1 for trial in results if not trial.fails) > COUNT // 4
    assert [trial for trial in results if trial.false] == []
