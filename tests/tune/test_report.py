"""What a search shows: the frontier, the choice, a diff that git applies, a picture."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from slipway.errors import SlipwayError
from slipway.tune import picture, table
from slipway.tune.candidate import BASELINE, Candidate, Change
from slipway.tune.estimate import estimate_noise
from slipway.tune.frontier import Limits
from slipway.tune.report import TuneReport
from slipway.tune.search import Search
from slipway.tune.write import NewWeights, new_texts, write_configs
from tests.tune import simulated
from tests.tune.simulated import CLIENTS, SimulatedMeasurer, make_space
from tests.tune.test_config_edit import COMMENTED

ONE: Candidate = (Change("m", "instances", 1), Change("m", "threads", 2))


def faster_and_larger(candidate: Candidate) -> dict[str, float]:
    """Each step of the first knob costs memory, and gives speed."""
    steps = sum(int(change.value) for change in candidate if change.name == "threads")
    return {"rate": 1 + 0.3 * steps, "memory": 1 + 0.5 * steps, "p50": 1.0 + 0.2 * steps}


@pytest.fixture
def report() -> TuneReport:
    """A search of a model that is faster with more memory, where one value fails."""
    space = make_space([3, 2])
    measurer = SimulatedMeasurer(
        faster_and_larger,
        1e9,
        noise=0.01,
        failing=lambda c: any(change.name == "instances" for change in c),
    )
    search = Search(
        space, measurer, CLIENTS, "throughput", Limits(), np.random.default_rng(0), exhaustive=True
    )
    chosen = search.run()
    return TuneReport(
        "m",
        "a server",
        "4 requests",
        CLIENTS,
        "throughput",
        Limits(),
        tuple(search.points()),
        chosen,
        estimate_noise(measurer.measured, CLIENTS),
        {c: m.failure for c, m in measurer.measured.items() if m.failure},
        ("m: left out for a reason",),
        len(space),
        search.ended,
        0,
    )


def test_the_frontier_holds_every_trade_of_speed_for_memory(report: TuneReport) -> None:
    values = [[change.value for change in point.candidate] for point in report.frontier]
    assert values == [[2], [1], []]
    assert [report.chosen_by(point) for point in report.frontier] == [
        ["throughput", "cpu"],
        [],
        ["latency", "memory"],
    ]


def test_the_table_names_each_config_its_gain_and_the_refused_ones(report: TuneReport) -> None:
    text = io.StringIO()
    table.print_report(report, Console(file=text, width=160))
    shown = text.getvalue()
    assert "m0: 2 threads" in shown and "+100%" in shown
    assert re.search(r"\+(59|60|61)%", shown)
    assert "refused m0: 1 instance" in shown and "left out for a reason" in shown
    assert "For throughput: m0: 2 threads." in shown


def test_json_has_every_measured_config(report: TuneReport) -> None:
    values = json.loads(json.dumps(report.as_json()))
    assert len(values["measured"]) == 3 and len(values["failed"]) == 3
    assert values["chosen"] == [["m0", "threads", 2]]
    (baseline,) = [each for each in values["measured"] if not each["changes"]]
    assert set(baseline["equal"]) == {"rate", "p50", "p99", "cpu", "memory"}


def test_equal_reports_are_drawn_as_equal_bytes(report: TuneReport, tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        picture.draw(report, tmp_path / name)
    drawn = (tmp_path / "one.svg").read_bytes()
    assert drawn == (tmp_path / "two.svg").read_bytes() and b"p99, ms" in drawn


def test_an_interrupted_search_chooses_nothing_and_says_how_it_continues(
    report: TuneReport,
) -> None:
    stopped = dataclasses.replace(report, chosen=None, ended="interrupted; it is kept")
    assert stopped.describe_choice() == "Nothing is chosen; the same command continues."
    limited = dataclasses.replace(report, chosen=None)
    assert limited.describe_choice() == "No config that was measured keeps the limits."
    early = dataclasses.replace(report, chosen=None, points=())
    assert "--budget" in early.describe_choice()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "m"
    (folder / "m").mkdir(parents=True)
    (folder / "m" / "config.pbtxt").write_text(COMMENTED, encoding="utf-8")
    return folder


def test_git_applies_the_diff_and_gets_what_is_written(folder: Path) -> None:
    root = folder.parent.parent
    (text,) = new_texts(folder, ONE)
    diff = text.diff(root)
    subprocess.run(["git", "apply", "--check", "-"], input=diff.encode(), cwd=root, check=True)
    subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=root, check=True)
    assert text.path.read_text() == text.after != COMMENTED
    text.path.write_text(COMMENTED)
    write_configs([text])
    assert text.path.read_text() == text.after


def test_a_config_that_was_changed_meanwhile_is_not_written(folder: Path) -> None:
    texts = new_texts(folder, ONE)
    texts[0].path.write_text(COMMENTED + "# mine\n")
    with pytest.raises(SlipwayError, match="changed since it was measured"):
        write_configs(texts)
    assert texts[0].path.read_text().endswith("# mine\n")


def test_the_config_as_it_is_changes_no_file(folder: Path) -> None:
    assert new_texts(folder, BASELINE) == []


def test_new_weights_keep_the_ones_before_and_say_what_is_left_to_do(tmp_path: Path) -> None:
    made, path = tmp_path / "made.onnx", tmp_path / "models" / "m" / "m" / "1" / "model.onnx"
    path.parent.mkdir(parents=True)
    made.write_bytes(b"new")
    path.write_bytes(b"old")
    weights = NewWeights("m", "int8", made, path)
    before = weights.write(tmp_path / ".slipway" / "tune")
    assert (path.read_bytes(), before.read_bytes()) == (b"new", b"old")
    assert weights.next_steps(tmp_path)[0] == "slipway weights add models/m/m/1/model.onnx"


def test_a_search_keeps_the_reason_of_each_failure() -> None:
    measurer = SimulatedMeasurer(simulated.random_truth(1), 1e9, failing=bool)
    space = make_space([2, 2])
    search = Search(
        space, measurer, CLIENTS, "latency", Limits(), np.random.default_rng(0), exhaustive=True
    )
    chosen = search.run()
    assert chosen is not None and chosen.candidate == BASELINE
    assert sum(m.failure is not None for m in measurer.measured.values()) == 3
