"""The picture: its file, and what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.loadtest import address, picture, report, stage
from slipway.loadtest.report import Report, Subject
from slipway.loadtest.run import FirstLoad, Results
from tests.loadtest import queues


def made(*, loads: bool = True, concurrency: bool = False) -> Report:
    """A report of a server that is computed."""
    random = np.random.default_rng(0)
    results = Results()
    if loads:
        results.first_loads.append(FirstLoad(queues.TARGET, 1.7, None, True, 0))
    for rate in (20.0, 60.0, 90.0, 130.0):
        answers = queues.answers(rate, 100, 60, random)
        if concurrency:
            results.stages.append(stage.closed_loop(answers, int(rate), 60))
        else:
            results.stages.append(stage.open_loop(answers, 60))
    subject = Subject("local", "warm", {queues.TARGET: 1.0}, "1 golden cases", 0)
    return report.make(subject, address.local("http://x", "local"), results, limit=0.2)


def test_a_drawing_shows_percentiles_knee_limit_and_cold_starts(tmp_path: Path) -> None:
    found = made()
    picture.draw(found, tmp_path / "load.svg")
    drawn = (tmp_path / "load.svg").read_text(encoding="utf-8")
    assert found.knee and found.knee.rate
    for word in (
        "p50",
        "p90",
        "p99",
        f"knee {found.knee.rate:.4g}/s",
        "limit 200 ms",
        "cold starts",
        queues.TARGET,
    ):
        assert word in drawn
    assert "waiting clients" not in drawn and ">none<" not in drawn


def test_equal_reports_make_equal_drawings(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        picture.draw(made(), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_png_is_one(tmp_path: Path) -> None:
    picture.draw(made(loads=False), tmp_path / "load.png")
    assert (tmp_path / "load.png").read_bytes().startswith(b"\x89PNG")


def test_waiting_clients_have_no_knee(tmp_path: Path) -> None:
    picture.draw(made(loads=False, concurrency=True), tmp_path / "load.svg")
    drawn = (tmp_path / "load.svg").read_text(encoding="utf-8")
    assert "waiting clients" in drawn and "knee" not in drawn and ">none<" in drawn


def test_nothing_answered_is_nothing_to_draw(tmp_path: Path) -> None:
    subject = Subject("local", "warm", {queues.TARGET: 1.0}, "", 0)
    empty = report.make(subject, address.local("http://x", "local"), Results())
    with pytest.raises(SlipwayError, match="nothing was answered"):
        picture.draw(empty, tmp_path / "load.svg")


@pytest.mark.parametrize("name", ["load.jpg", "load", "no/load.svg"])
def test_a_file_that_cannot_be_written_is_refused_before(tmp_path: Path, name: str) -> None:
    with pytest.raises(SlipwayError) as refused:
        picture.check(tmp_path / name)
    assert refused.value.fix
    picture.check(tmp_path / "load.PNG")
