"""From a load test's report to parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.errors import SlipwayError
from slipway.infra import scaling
from slipway.loadtest import scaling as loadtest
from slipway.loadtest.knee import Knee
from slipway.loadtest.report import LoadTestReport, LoadTestSetup
from slipway.loadtest.run import FirstLoad, Results
from tests.infra.conftest import Repository


def report(**changed: Any) -> dict[str, Any]:
    """As `slipway loadtest --json` writes it, from the same types."""
    target = loadtest.scaling_target(100.0)
    results = Results(
        first_loads=[
            FirstLoad("a_1.0.0.tar.gz", 70.0, None, True, 1),
            FirstLoad("b_1.0.0.tar.gz", 20.0, None, None, 0),  # AWS does not say
            FirstLoad("c_1.0.0.tar.gz", 99.0, None, False, 0),
            FirstLoad("d_1.0.0.tar.gz", None, "400", None, 0),
        ]
    )
    made = LoadTestReport(
        LoadTestSetup("production", "warm", {}, "zeros", 0),
        results,
        Knee(100.0, 0.15, 0.2, None),
        target,
        loadtest.plan_fleet(target, 120.0, "ml.m5.2xlarge", 1.0),
        (),
    )
    return made.as_json() | changed


def written(folder: Path, said: Any) -> Path:
    path = folder / "loadtest.json"
    path.write_text(json.dumps(said))
    return path


def test_the_target_cooldowns_and_limit_come_from_the_test(tmp_path: Path) -> None:
    assert scaling.scaling_parameters(written(tmp_path, report())) == {
        "InvocationsPerInstance": "3000",
        "ScaleOutCooldown": "360",  # 240 s to start and 90 s of cold loads, in whole minutes
        "ScaleInCooldown": "1080",
        "LatencyP99Microseconds": "200000",
        "InstanceType": "ml.m5.2xlarge",
        "MinInstances": "3",
        "MaxInstances": "6",
    }


def test_without_traffic_the_fleet_stays_as_it_is(tmp_path: Path) -> None:
    found = scaling.scaling_parameters(written(tmp_path, report(fleet=None)))
    assert set(found) == {
        "InvocationsPerInstance",
        "ScaleOutCooldown",
        "ScaleInCooldown",
        "LatencyP99Microseconds",
    }


def test_they_are_parameters_of_the_template(tmp_path: Path, repository: Repository) -> None:
    measured = scaling.scaling_parameters(written(tmp_path, report()))
    changed = repository.environment("production").with_parameters(measured)
    assert changed.parameters["InvocationsPerInstance"] == "3000"


def test_the_lines_that_keep_them_are_toml(tmp_path: Path) -> None:
    lines = scaling.as_toml({"MinInstances": "3", "InstanceType": "ml.m5.2xlarge"})
    assert lines == ["MinInstances = 3", 'InstanceType = "ml.m5.2xlarge"']


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (report(target=None), "recommends no target"),
        (report(results={}), "not a load test's report"),
        ({"target": {}}, "not a load test's report"),
        ([], "not a load test's report"),
    ],
)
def test_what_is_no_recommendation_is_refused(tmp_path: Path, said: Any, words: str) -> None:
    with pytest.raises(SlipwayError, match=words):
        scaling.scaling_parameters(written(tmp_path, said))


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("nothing")
    with pytest.raises(SlipwayError, match="cannot be read"):
        scaling.scaling_parameters(tmp_path / "x.json")
