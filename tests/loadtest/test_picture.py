"""The drawing of a report: its file and its contents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.figure_file import check_figure_file
from slipway.loadtest import picture
from slipway.loadtest.address import local_address
from slipway.loadtest.report import LoadTestReport, LoadTestSetup, build_report
from slipway.loadtest.run import FirstLoad, Results
from slipway.loadtest.stage import summarize_closed_loop, summarize_open_loop
from tests.loadtest import queues


def make_report(*, loads: bool = True, concurrency: bool = False) -> LoadTestReport:
    """Return a report of a simulated server."""
    random = np.random.default_rng(0)
    results = Results()
    if loads:
        results.first_loads.append(FirstLoad(queues.TARGET, 1.7, None, True, 0))
    for rate in (20.0, 60.0, 90.0, 130.0):
        answers = queues.answers(rate, 100, 60, random)
        if concurrency:
            results.stages.append(summarize_closed_loop(answers, int(rate), 60))
        else:
            results.stages.append(summarize_open_loop(answers, 60))
    subject = LoadTestSetup("local", "warm", {queues.TARGET: 1.0}, "1 golden cases", 0)
    return build_report(subject, local_address("http://x", "local"), results, limit=0.2)


def test_a_drawing_shows_percentiles_knee_limit_and_cold_starts(tmp_path: Path) -> None:
    drawn_report = make_report()
    picture.draw(drawn_report, tmp_path / "load.svg")
    drawn = (tmp_path / "load.svg").read_text(encoding="utf-8")
    assert drawn_report.knee and drawn_report.knee.rate
    for text in (
        "p50",
        "p90",
        "p99",
        f"knee {drawn_report.knee.rate:.4g}/s",
        "limit 200 ms",
        "cold starts",
        queues.TARGET,
    ):
        assert text in drawn
    assert "waiting clients" not in drawn and ">none<" not in drawn


def test_equal_reports_make_equal_drawings(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        picture.draw(make_report(), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_png_file_has_the_signature_of_png(tmp_path: Path) -> None:
    picture.draw(make_report(loads=False), tmp_path / "load.png")
    assert (tmp_path / "load.png").read_bytes().startswith(b"\x89PNG")


def test_waiting_clients_have_no_knee(tmp_path: Path) -> None:
    picture.draw(make_report(loads=False, concurrency=True), tmp_path / "load.svg")
    drawn = (tmp_path / "load.svg").read_text(encoding="utf-8")
    assert "waiting clients" in drawn and "knee" not in drawn and ">none<" in drawn


def test_a_report_without_answers_cannot_be_drawn(tmp_path: Path) -> None:
    subject = LoadTestSetup("local", "warm", {queues.TARGET: 1.0}, "", 0)
    empty = build_report(subject, local_address("http://x", "local"), Results())
    with pytest.raises(SlipwayError, match="nothing was answered"):
        picture.draw(empty, tmp_path / "load.svg")


@pytest.mark.parametrize("name", ["load.jpg", "load", "no/load.svg"])
def test_a_file_that_cannot_be_written_is_refused_before_the_test(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(SlipwayError) as refused:
        check_figure_file(tmp_path / name, "loadtest")
    assert refused.value.fix
    check_figure_file(tmp_path / "load.PNG", "loadtest")
