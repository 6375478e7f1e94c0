"""Random mistakes: check and the real server must agree on them.

``python -m tests.check.mutation`` makes many more.
"""

from __future__ import annotations

import pytest

from tests.check.mutation import kinds, report, samples, trials
from tests.check.mutation.trials import Trial

COUNT = 25
OF_CODE = 10


@pytest.fixture(scope="module")
def results() -> list[Trial]:
    """Return a few trials, the same each time."""
    return list(trials.run(samples.default_samples(), seed=0, count=COUNT))


def test_check_finds_what_fails_on_the_real_server(results: list[Trial]) -> None:
    assert sum(1 for trial in results if trial.fails) > COUNT // 3
    assert [trial for trial in results if trial.missed] == []


def test_check_flags_nothing_that_serves(results: list[Trial]) -> None:
    assert [trial for trial in results if trial.false] == []


def test_the_report_counts_each_mistake_once(results: list[Trial]) -> None:
    assert [line.split()[1] for line in report.lines(results) if line.startswith("all ")] == [
        str(COUNT)
    ]


def test_mistakes_in_python_code_are_found_and_nothing_else() -> None:
    chosen = samples.code_samples()
    results = list(trials.run(chosen, seed=0, count=OF_CODE, shares=kinds.PYTHON_KINDS))
    failing = [trial for trial in results if trial.fails]
    assert [trial for trial in results if trial.false] == []
    assert len([trial for trial in failing if not trial.missed]) > len(failing) / 2
