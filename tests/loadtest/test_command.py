"""``slipway loadtest``: from a command line to tables, JSON, pictures and exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import slipway
from slipway.cli import main
from slipway.loadtest import alternate
from slipway.loadtest.exchange import LoadResponse, Request
from slipway.loadtest.generator import Generator
from slipway.model.interface import Interface, Tensor
from slipway.store.directory import DirectoryStore
from slipway.triton.datatypes import Array
from tests.client import releases
from tests.client.releases import ONE, THREE, TWO
from tests.loadtest import fake_endpoint, queues


def command(endpoint: fake_endpoint.FakeEndpoint, *words: str) -> int:
    return main(["loadtest", *words, "--url", endpoint.url])


def json_of(
    endpoint: fake_endpoint.FakeEndpoint, capsys: pytest.CaptureFixture[str], *words: str
) -> dict[str, Any]:
    assert command(endpoint, *words, "--json") == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer rates by a simulated queue of 1,000 requests a second, independent of the machine."""
    random = np.random.default_rng(0)

    async def open_loop(
        generator: Generator, requests: Sequence[Request], times: Array
    ) -> list[LoadResponse]:
        return queues.serve([request.target for request in requests], times, 1000, random)

    monkeypatch.setattr(Generator, "open_loop", open_loop)


def test_rates_are_shown_with_knee_target_and_cost(
    store: DirectoryStore,
    endpoint: fake_endpoint.FakeEndpoint,
    computed: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("prices.toml").write_text('[usd_per_hour]\n"ml.x" = 2.0\n', encoding="utf-8")
    words = ["--rates", "350", "--seconds", "1", "--p99", "30s", "--output", "load.svg"]
    words += ["--traffic", "120/s", "--instance", "ml.x", "--prices", "prices.toml"]
    assert command(endpoint, "m", *words) == 0
    output = capsys.readouterr().out
    assert ONE in output and "sent: zeros and empty strings" in output
    assert "← knee" in output and "Knee: " in output
    assert "SageMakerVariantInvocationsPerInstance: " in output and " × 0.5 × 60 s = " in output
    assert "2 × 2 USD/h × 730 h = 2,920.00 USD a month" in output
    assert "hold for this machine" in " ".join(output.split())
    assert Path("load.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_json_has_the_measurements_and_the_knee(
    store: DirectoryStore,
    endpoint: fake_endpoint.FakeEndpoint,
    computed: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = json_of(endpoint, capsys, "m", "--target", "2.0.0", "--rates", "30", "--seconds", "1")
    assert output["subject"]["shares"] == {TWO: 1.0}
    assert output["results"]["first_loads"][0]["cold"] is True
    assert output["results"]["stages"][0]["warm"]["p99"] is None  # too few answers
    assert output["knee"]["rate"] is None and "299 answers" in output["knee"]["ended_by"]


def test_too_few_answers_are_reported_instead_of_a_knee(
    store: DirectoryStore,
    endpoint: fake_endpoint.FakeEndpoint,
    computed: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(endpoint, "m", "--rates", "20", "--seconds", "1") == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "No knee: no rate had the 299 answers that a p99 needs." in output and "–" in output


def test_mixed_traffic_goes_to_all_releases_by_popularity(
    store: DirectoryStore, endpoint: fake_endpoint.FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--kind", "mixed", "--zipf", "2", "--rates", "300", "--seconds", "1"]
    output = json_of(endpoint, capsys, *words)
    assert sorted(output["subject"]["shares"].values()) == pytest.approx([4 / 49, 9 / 49, 36 / 49])
    requested = {
        t: counts["requests"] for t, counts in output["results"]["stages"][0]["targets"].items()
    }
    most = max(output["subject"]["shares"], key=output["subject"]["shares"].__getitem__)
    assert set(requested) == {ONE, TWO, THREE} and max(requested, key=requested.__getitem__) == most


def test_first_loads_are_measured_without_rates(
    store: DirectoryStore, endpoint: fake_endpoint.FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.failures[TWO] = (507, "", "")
    words = ["m", "--kind", "first-load", "--releases", f"1.0.0, {TWO}"]
    assert command(endpoint, *words) == 0
    output = capsys.readouterr().out
    assert "cold" in output and "507" in output and "offered" not in output


def test_failures_are_shown_by_kind_and_an_endpoint_that_never_answers_ends_with_1(
    store: DirectoryStore, endpoint: fake_endpoint.FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.failures[ONE] = (424, "ModelError", "it is broken")
    assert command(endpoint, "m", "--rates", "20", "--seconds", "1") == 1
    output = capsys.readouterr().out
    assert "424 ModelError" in output and "it is broken" in output


def test_the_inputs_are_checked_before_anything_is_sent(
    store: DirectoryStore, endpoint: fake_endpoint.FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(endpoint, "m", "--data", '{"Y": 1}') == 1
    assert "m has no input 'Y'" in capsys.readouterr().err and endpoint.seen == []


def test_the_inputs_may_be_in_a_file(
    store: DirectoryStore, endpoint: fake_endpoint.FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("x.json").write_text('[{"X": [1, 2]}, {"X": [3, 4]}]', encoding="utf-8")
    output = json_of(
        endpoint, capsys, "m", "--data", "@x.json", "--concurrency", "1", "--seconds", "1"
    )
    assert output["subject"]["inputs"] == "the inputs given" and output["knee"] is None
    assert command(endpoint, "m", "--data", "@none.json") == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce forty rounds to twelve."""
    monkeypatch.setattr(alternate, "ROUNDS", 12)


def test_a_slower_release_is_reported_and_can_fail(
    store: DirectoryStore,
    endpoint: fake_endpoint.FakeEndpoint,
    capsys: pytest.CaptureFixture[str],
    short: None,
) -> None:
    # ten times slower: no machine varies that much
    endpoint.seconds = lambda target: 0.03 if target == TWO else 0.003
    words = ["m", "--compare", "1.0.0", "2.0.0", "--seconds", "1"]
    assert command(endpoint, *words) == 0
    output = capsys.readouterr().out
    assert "The second is slower." in output and "12 rounds of " in output
    assert command(endpoint, *words, "--fail-if-slower", "50%") == 1
    assert f"{TWO} is slower by more than 50%" in capsys.readouterr().err
    result = json_of(endpoint, capsys, "m", "--compare", "2.0.0", "1.0.0", "--seconds", "1")
    assert result["verdict"] == "faster" and result["releases"] == [TWO, ONE]
    assert result["median"]["ratio"] < 0.7 and result["spoilt"] == 0


def test_both_get_the_same_requests_and_alternate(
    store: DirectoryStore, endpoint: fake_endpoint.FakeEndpoint, short: None
) -> None:
    assert command(endpoint, "m", "--compare", "1.0.0", "2.0.0", "--seconds", "1") == 0
    requested = [seen[fake_endpoint.TARGET] for seen in endpoint.seen]
    changes = sum(a != b for a, b in pairwise(requested))
    assert 12 <= changes <= 25  # one within each of 12 rounds, by chance one between


def test_releases_of_other_inputs_are_not_compared(
    store: DirectoryStore, endpoint: fake_endpoint.FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    releases.release(store, "m_4.0.0.tar.gz", Interface(8, {"Z": Tensor("FP32", (2,))}, {}))
    assert command(endpoint, "m", "--compare", "1.0.0", "4.0.0") == 1
    assert "do not take the same inputs" in capsys.readouterr().err and endpoint.seen == []


def test_a_release_that_fails_is_not_compared(
    store: DirectoryStore, endpoint: fake_endpoint.FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.failures[TWO] = (424, "ModelError", "it is broken")
    assert command(endpoint, "m", "--compare", "1.0.0", "2.0.0", "--seconds", "1") == 1
    output = capsys.readouterr().err
    assert f"{TWO} does not answer: 424 ModelError it is broken" in output and "fix: " in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "0 names"),
        (["m", "n"], "2 names"),
        (
            ["m", "--rates", "1", "--concurrency", "1"],
            "--rates and --concurrency exclude each other",
        ),
        (["m", "--compare", "a", "b", "--p99", "1s"], "--compare and --p99"),
        (["m", "--concurrency", "1", "--p99", "1s"], "--concurrency and --p99"),
        (["m", "--traffic", "1/s"], "--traffic needs --p99 and --instance and --prices"),
        (["m", "--fail-if-slower", "5%"], "--fail-if-slower needs --compare"),
        (["m", "--compare", "1.0.0", "2.0.0", "--fail-if-slower", "5"], "is not a percentage"),
        (["m", "--compare", "1.0.0", "2.0.0", "--concurrency", "1,2"], "takes one --concurrency"),
        (["m", "--releases", "a"], "--releases is for tests of several releases"),
        (["--kind", "mixed", "--target", "a"], "--target is for tests of one release"),
        (["--kind", "first-load", "--rates", "1"], "first loads have no rate"),
        (["m", "--kind", "mixed", "--compare", "a", "b"], "--kind mixed"),
        (["m", "--rates", "fast"], "--rates 'fast'"),
        (["m", "--p99", "200"], "--p99 '200'"),
        (["m", "--output", "load.gif"], "no picture of the kind .gif"),
        (["n"], "no release of 'n'"),
        (["m", "--target", "9.9.9"], "9.9.9 is not a release of m"),
        (["m", "--endpoint", "nowhere"], "no endpoint 'nowhere'"),
    ],
)
def test_invalid_arguments_are_refused_with_a_fix(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["loadtest", *words]) == 1
    printed = capsys.readouterr().err
    assert message in printed and "\nfix: " in printed


def test_without_an_endpoint_the_fix_names_the_command_that_starts_it(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["loadtest", "m"]) == 1
    assert "slipway endpoint up" in capsys.readouterr().err


def test_production_in_aws_is_not_overloaded_by_mistake(
    store: DirectoryStore,
    endpoint: fake_endpoint.FakeEndpoint,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", endpoint.url)
    text = Path("slipway.toml").read_text(encoding="utf-8")
    entry = (
        '[endpoint.live]\nendpoint_name = "models"\nregion = "us-east-1"\nstage = "production"\n'
    )
    Path("slipway.toml").write_text(text + entry, encoding="utf-8")
    for file in list((store.root / "staging").rglob("*.json")):
        copy = store.root / "production" / file.relative_to(store.root / "staging")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    words = ["loadtest", "m", "--endpoint", "live", "--rates", "10", "--seconds", "1"]
    assert main(words) == 1
    assert "--yes" in capsys.readouterr().err and endpoint.seen == []
    assert main([*words, "--yes"]) == 0
    assert "hold for this machine" not in capsys.readouterr().out
    assert endpoint.seen[0]["path"] == "/endpoints/models/invocations"


def test_ctrl_c_prints_the_results_so_far_and_writes_none(
    store: DirectoryStore, endpoint: fake_endpoint.FakeEndpoint, tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "slipway", "loadtest", "m", "--url", endpoint.url]
    picture = tmp_path / "load.svg"
    words += ["--rates", "50", "--seconds", "600", "--output", str(picture)]
    path = str(Path(slipway.__file__).parent.parent)
    process = subprocess.Popen(
        words, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    )
    try:
        while len(endpoint.seen) < 60:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Interrupted" in output and "offered/s" in output
    assert not picture.exists()
