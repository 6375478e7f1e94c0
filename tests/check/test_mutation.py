"""Random mistakes: where check and the real server disagree, one of them has to say so here.

``python -m check.mutation`` makes many more.
"""

from __future__ import annotations

import pytest

from tests.check.mutation import report, samples, trials
from tests.check.mutation.trials import Trial

COUNT = 25


@pytest.fixture(scope="module")
def made() -> list[Trial]:
    """A few mistakes, the same each time."""
    return list(trials.run(samples.of_the_tests(), seed=0, count=COUNT))


def test_check_finds_what_fails_on_the_real_server(made: list[Trial]) -> None:
    assert sum(1 for trial in made if trial.fails) > COUNT // 3
    assert [trial for trial in made if trial.missed] == []


def test_check_flags_nothing_that_serves(made: list[Trial]) -> None:
    assert [trial for trial in made if trial.false] == []


def test_the_report_counts_each_mistake_once(made: list[Trial]) -> None:
    assert [line.split()[1] for line in report.lines(made) if line.startswith("all ")] == [
        str(COUNT)
    ]
