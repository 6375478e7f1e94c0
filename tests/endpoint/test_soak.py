"""A short soak: the long one is ``python -m tests.endpoint.soak``."""

from __future__ import annotations

from pathlib import Path

from tests.endpoint.soak import soak


def test_under_kills_evictions_and_broken_artifacts_no_answer_is_wrong_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    run, wrong = soak(tmp_path, seconds=20, every_s=16)
    assert wrong == []
    assert run.tally.right > 0
    assert len(run.kills) == 1
