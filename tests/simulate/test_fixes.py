"""What ``slipway simulate`` refuses is accepted once its ``fix:`` was followed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.capture.record import CapturedRequest
from slipway.cli import main
from slipway.endpoint.observed.timings import Timings
from slipway.loadtest.run import FirstLoad, Results
from slipway.loadtest.stage import summarize_open_loop
from tests.loadtest import queues

# few requests, and one instance of each type: what is asked is whether anything is simulated
QUICK = ("--requests", "1000", "--p99", "1min")
ONE = (*QUICK, "--instances", "1")
DRAWN = ("--models", "3", "--traffic", "1/s")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the fix of a refused command."""
    assert main(["simulate", *words]) == 1
    what, found, fix = capsys.readouterr().err.partition("fix: ")
    assert what and found, "nothing was refused"
    return fix.strip()


def is_simulated(capsys: pytest.CaptureFixture[str], *words: str) -> bool:
    """Return whether a command simulates, whatever comes of it."""
    main(["simulate", *words, "--json"])
    output = capsys.readouterr()
    return output.err == "" and bool(json.loads(output.out)["fleets"])


@pytest.mark.parametrize(
    ("option", "wrong", "right"),
    [
        ("--traffic", "fast", ["120/s", "7200/min"]),
        ("--load", "3", ["200ms", "1.5s"]),
        ("--memory", "big", ["300MB", "1.5GiB"]),
        ("--disk", "big", ["300MB", "1.5GiB"]),
        ("--instances", "some", ["1,2,4,8"]),
        ("--hit-rate", "half", ["5%"]),
        ("--copy-after", "soon", ["200ms", "1.5s"]),
    ],
)
def test_a_value_that_the_fix_names_is_taken(
    capsys: pytest.CaptureFixture[str], option: str, wrong: str, right: list[str]
) -> None:
    fix = refused(capsys, *DRAWN, *ONE, option, wrong)
    for value in right:
        assert value in fix
        assert is_simulated(capsys, *DRAWN, *ONE, option, value)


def test_one_value_or_both_percentiles_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    fix = refused(capsys, *DRAWN, *ONE, "--load", "9s,3s")
    assert fix == "give --load one value, or the median and the 99th percentile, with a comma"
    assert is_simulated(capsys, *DRAWN, *ONE, "--load", "3s")
    assert is_simulated(capsys, *DRAWN, *ONE, "--load", "3s,9s")


@pytest.mark.parametrize(
    "wrong", ["100", "100,3,2", "100,1.5,2", "1,2,3,4", "inf,1,2", "9,nan,inf"]
)
def test_the_scaling_that_the_fix_names_is_taken(
    capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    fix = refused(capsys, *DRAWN, *QUICK, "--scaling", wrong)
    assert is_simulated(capsys, *DRAWN, *QUICK, *fix.split())


def test_each_instance_type_that_the_fix_names_is_simulated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fix = refused(capsys, *DRAWN, *ONE, "--instance", "ml.m5.xxlarge")
    names = [word.strip(",") for word in fix.split() if word.startswith("ml.")]
    assert names
    for name in names:
        assert is_simulated(capsys, *DRAWN, *ONE, "--instance", name)


def test_instances_with_gpus_are_replaced_by_those_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fix = refused(capsys, *DRAWN, "--instance", "ml.g5.xlarge")
    assert fix.startswith("simulate the models on CPU instances")
    assert is_simulated(capsys, *DRAWN, *ONE, "--instance", "ml.m5.large")


def test_the_command_of_the_fix_draws_traffic(capsys: pytest.CaptureFixture[str]) -> None:
    command, _, other = refused(capsys).partition(", or ")
    program, name, *words = command.split()
    assert (program, name, other) == ("slipway", "simulate", "--captured")
    assert is_simulated(capsys, *words, *ONE)


def test_a_picture_is_drawn_under_the_name_of_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fix = refused(capsys, *DRAWN, *ONE, "--output", "picture.pdf")
    assert is_simulated(capsys, *DRAWN, *ONE, *fix.split(",")[0].split())
    assert (tmp_path / "picture.svg").is_file()
    assert refused(capsys, *DRAWN, *ONE, "--output", "new/picture.svg") == "create it first"
    (tmp_path / "new").mkdir()
    assert is_simulated(capsys, *DRAWN, *ONE, "--output", "new/picture.svg")


def test_a_price_is_added_as_the_fix_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = tmp_path / "prices.toml"
    words = (*DRAWN, *ONE, "--instance", "ml.m5.large", "--prices", str(prices))
    prices.write_text("nonsense")
    example = refused(capsys, *words).removeprefix("write it like this:\n")
    prices.write_text(example)
    fix = refused(capsys, *words)
    assert fix.startswith('add "ml.m5.large" = … to [usd_per_hour]')
    prices.write_text(f"{example}\n" + '"ml.m5.large" = 0.2\n')
    assert is_simulated(capsys, *words)


def captured(count: int, since: datetime) -> Iterator[CapturedRequest]:
    """Yield the captured requests of ``count`` days, one an hour, that are after ``since``."""
    for hours in range(24 * count):
        when = datetime.now(UTC) - timedelta(hours=hours)
        if when > since:
            yield CapturedRequest(str(hours), when, "local", "m_1.0.0.tar.gz", "AllTraffic")


def test_too_few_captured_requests_are_replaced_as_the_fix_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slipway.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "slipway.capture.read.read_captured", lambda *_, since, **__: captured(30, since)
    )
    fix = refused(capsys, "--captured", *ONE)
    assert "--since, such as 30d" in fix
    assert is_simulated(capsys, "--captured", *ONE, "--since", "30d")
    drawn = fix.partition("drawn ones: ")[2].removesuffix(" without --captured")
    assert is_simulated(capsys, *drawn.split(), *ONE)


def test_traffic_is_given_once_as_the_fix_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slipway.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "slipway.capture.read.read_captured", lambda *_, since, **__: captured(30, since)
    )
    window = ("--since", "30d")
    assert refused(capsys, "--captured", "--models", "3", *window) == "leave out --models"
    fix = refused(capsys, "--captured", "--captures", "kept", *window)
    assert fix == "--captured for those of --endpoint, --captures for another place"
    assert is_simulated(capsys, "--captured", *window, *ONE)
    assert is_simulated(capsys, "--captures", "kept", *window, *ONE)


@contextmanager
def serving(state: dict[str, Any]) -> Iterator[str]:
    """Serve a state as a local endpoint does, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/state" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(state).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_an_endpoint_that_has_loaded_and_answered_is_measured_as_the_fix_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timings = Timings()
    state = {"endpoints": {"local": {"timings": timings.dump(), "models": []}}}
    with serving(state) as url:
        fix = refused(capsys, *DRAWN, *ONE, "--measured", url)
        assert "the address of a local endpoint that has loaded, evicted and answered" in fix
        timings.load.append(2.0)
        timings.unload.append(0.5)
        timings.serve.append(0.01)
        state["endpoints"]["local"]["timings"] = timings.dump()
        assert is_simulated(capsys, *DRAWN, *ONE, "--measured", url)
        assert refused(capsys, *DRAWN, "--measured", url, "--endpoint", "other") == (
            "--endpoint local"
        )
        words = ("--measured", url, "--endpoint", "local")
        assert is_simulated(capsys, *DRAWN, *ONE, *words)
        del state["endpoints"]["local"]
        assert refused(capsys, *DRAWN, "--measured", url) == fix


def test_the_file_of_a_load_test_is_taken_as_the_fix_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "loadtest.json"
    fix = refused(capsys, *DRAWN, *ONE, "--measured", str(file))
    assert fix.endswith("or the file of slipway loadtest … --json")
    answers = queues.answers(20, 100, 60, np.random.default_rng(0))
    first = [FirstLoad("a", 1.0, None, True, 0)]
    results = Results(first, [summarize_open_loop(answers, 60)])
    file.write_text(json.dumps({"results": asdict(results)}))
    assert is_simulated(capsys, *DRAWN, *ONE, "--measured", str(file))
