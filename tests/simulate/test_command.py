"""``slipway simulate``: tables, JSON, pictures, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import botocore.loaders
import moto
import numpy as np
import pytest

from slipway.cli import main
from slipway.infra.instances import hardware, has_local_disk
from slipway.simulate.instance_type import TYPES

SMALL = ("--requests", "5000", "--instance", "ml.m5.xlarge")


def answer(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert main(["simulate", *words, "--json"]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_the_smallest_fleet_that_is_enough_is_recommended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = answer(capsys, "--models", "200", "--traffic", "20/s", *SMALL)
    chosen = found["recommended"]
    # 200 models of 300 MB are 60 GB, and an instance has 16 GiB without 1.5
    assert chosen["instance"] == "ml.m5.xlarge" and chosen["instances"] == 4
    less = next(each for each in found["fleets"] if each["instances"] == 3)
    assert not less["is_enough"] and "p99" in less["missing"][0]
    assert chosen["usd_per_month"] is None
    guesses = {each["what"] for each in found["assumptions"] if each["origin"] == "guessed"}
    assert {"load of a model", "memory of a loaded model", "loads"} <= guesses


def test_the_cheapest_type_is_recommended_where_prices_are_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = tmp_path / "prices.toml"
    words = ("--models", "100", "--traffic", "10/s", *SMALL, "--instance", "ml.r5.xlarge")
    for m5, r5, expected in ((0.2, 0.3, "ml.r5.xlarge"), (0.2, 0.9, "ml.m5.xlarge")):
        prices.write_text(f'[usd_per_hour]\n"ml.m5.xlarge" = {m5}\n"ml.r5.xlarge" = {r5}\n')
        found = answer(capsys, *words, "--prices", str(prices))
        chosen = found["recommended"]
        assert chosen["instance"] == expected
        price = {"ml.m5.xlarge": m5, "ml.r5.xlarge": r5}[expected]
        assert chosen["usd_per_month"] == pytest.approx(chosen["instances"] * price * 730)


def test_the_table_says_why_and_what_is_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for picture in pictures:
        words = ("--models", "60", "--traffic", "10/s", "--load", "2s,6s", *SMALL)
        assert main(["simulate", *words, "--output", str(picture)]) == 0
    text = capsys.readouterr().out
    assert "One less is not enough: " in text and "fewest cores (no --prices given)" in text
    assert "2 s (p50), 6 s (p99)" in text and "guessed" in text and "given" in text
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    assert "ml.m5.xlarge" in pictures[0].read_text()


def test_a_goal_that_no_fleet_reaches_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--models", "10", "--traffic", "10/s", "--serve", "2s", "--p99", "1s", *SMALL)
    assert main(["simulate", *words, "--instances", "8,16"]) == 1
    text = capsys.readouterr().out
    assert "No fleet that was simulated is enough" in text and "p99 is 2" in text


def test_autoscaling_is_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--models", "20", "--traffic", "20/s", *SMALL, "--requests", "30000")
    found = answer(capsys, *words, "--scaling", "400,1,4")
    (fleet,) = found["fleets"]
    assert 1.5 < fleet["instances_paid_for"] < 4
    assert any(each["what"] == "autoscaling" for each in found["assumptions"])


def state(tmp_path: Path) -> Path:
    timings = {
        "download": [0.2, 0.3],
        "load": [1.0, 1.5, 2.0],
        "settle": [0.1],
        "unload": [],
        "serve": [0.004, 0.006],
    }
    models = [{"memory": 40_000_000, "disk": 90_000_000}, {"memory": 0, "disk": 90_000_000}]
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"endpoints": {"local": {"timings": timings, "models": models}}}))
    return path


def test_figures_of_a_local_endpoint_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--models", "50", "--traffic", "10/s", *SMALL, "--memory", "80MB")
    found = answer(capsys, *words, "--calibrate", str(state(tmp_path)))
    origins = {each["what"]: (each["origin"], each["value"]) for each in found["assumptions"]}
    assert origins["load of a model"] == ("measured", "1.5 s (p50), 2 s (p99), of 3")
    assert origins["disk of a downloaded model"][0] == "measured"
    assert origins["memory of a loaded model"] == ("given", "80 MB")
    assert origins["unload of a model"][0] == "guessed"  # nothing was unloaded there


def test_figures_of_a_load_test_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "loadtest.json"
    first = [{"seconds": 4.0, "cold": True}, {"seconds": 0.1, "cold": False}]
    stages = [{"warm": {"p50": 0.012}}, {"warm": {"p50": 0.5}}]
    path.write_text(json.dumps({"results": {"first_loads": first, "stages": stages}}))
    words = ("--models", "50", "--traffic", "10/s", *SMALL)
    found = answer(capsys, *words, "--measured", str(path))
    origins = {each["what"]: (each["origin"], each["value"]) for each in found["assumptions"]}
    assert origins["load of a model"] == ("measured", "4 s (p50), 4 s (p99), of 1")
    assert origins["a request, on one core"] == ("measured", "12 ms (p50), 12 ms (p99), of 1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no traffic is given"),
        (("--models", "3"), "no traffic is given"),
        (("--captured", "--models", "3"), "captured requests name theirs"),
        (("--captured", "--captures", "x"), "exclude each other"),
        (("--models", "3", "--traffic", "fast"), "--traffic 'fast'"),
        (("--models", "3", "--traffic", "1/s", "--load", "9s,3s"), "--load '9s,3s'"),
        (("--models", "3", "--traffic", "1/s", "--memory", "big"), "--memory"),
        (("--models", "3", "--traffic", "1/s", "--scaling", "100,3,2"), "--scaling 100,3,2"),
        (("--models", "3", "--traffic", "1/s", "--scaling", "100"), "not understood"),
        (("--models", "3", "--traffic", "1/s", "--instance", "ml.m5.huge"), "no instance type"),
        (("--models", "3", "--traffic", "1/s", "--instance", "ml.g5.xlarge"), "has GPUs"),
        (("--models", "3", "--traffic", "1/s", "--output", "a.pdf"), "no picture"),
        (("--models", "3", "--traffic", "1/s", "--measured", "none.json"), "cannot be read"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_a_fix(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert main(["simulate", *words]) != 0
    error = capsys.readouterr().err
    assert said in error and "fix:" in error


def test_a_state_without_loads_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "state.json"
    documents: tuple[Any, ...] = (
        {"endpoints": {}},
        {"endpoints": {"local": {}}},
        {"endpoints": {"local": {"timings": {"load": []}, "models": []}}},
        {"results": {"first_loads": [], "stages": []}},
        {"results": {"first_loads": [{}], "stages": []}},
        {},
        [],
    )
    for document in documents:
        path.write_text(json.dumps(document))
        words = ["--models", "3", "--traffic", "1/s", "--measured", str(path)]
        assert main(["simulate", *words]) != 0
        assert "fix:" in capsys.readouterr().err


def ec2_types() -> dict[str, Any]:
    """EC2's answer to DescribeInstanceTypes, as moto has it."""
    folder = Path(moto.__file__).parent / "ec2" / "resources"
    with gzip.open(folder / "instance_types.json.gz") as file:
        found: dict[str, Any] = json.load(file)
    return found


def test_the_table_of_instance_types_is_that_of_ec2_and_sagemaker() -> None:
    service = botocore.loaders.Loader().load_service_model("sagemaker", "service-2")
    names = service["shapes"]["ProductionVariantInstanceType"]["enum"]
    assert set(TYPES) == {name for name in names if hardware(name) == "cpu"}
    described = ec2_types()
    for name, kind in TYPES.items():
        theirs = described[name.removeprefix("ml.")]
        assert kind.cores == theirs["VCpuInfo"]["DefaultVCpus"], name
        assert kind.memory == theirs["MemoryInfo"]["SizeInMiB"] << 20, name
        disk = theirs.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0)
        assert kind.disk == disk * 10**9, name
        assert bool(kind.disk) == has_local_disk(name)


def test_captured_requests_are_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from datetime import UTC, datetime, timedelta

    from slipway.capture.record import CapturedRequest

    now = datetime.now(UTC)
    random = np.random.default_rng(0)
    requests = [
        CapturedRequest(
            str(number),
            now - timedelta(seconds=float(number)),
            "local",
            f"m{int(random.integers(5))}_1.0.0.tar.gz",
            "AllTraffic",
        )
        for number in range(400)
    ]
    (tmp_path / "slipway.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("slipway.capture.read.read_captured", lambda *_, **__: iter(requests))
    found = answer(capsys, "--captured", "--instances", "1", "--instance", "ml.m5.large")
    assert (found["models"], found["requests"]) == (5, 400)
    assert found["rate"] == pytest.approx(1.0, rel=0.01)
    faster = answer(
        capsys, "--captured", "--instances", "1", "--instance", "ml.m5.large", "--traffic", "9/s"
    )
    assert faster["rate"] == pytest.approx(9.0)
    requests[50:] = []
    assert main(["simulate", "--captured"]) != 0
    assert "50 requests are captured" in capsys.readouterr().err
