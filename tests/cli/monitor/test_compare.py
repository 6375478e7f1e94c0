"""`slipway compare`: what a shell sees, over captures as the library writes them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.capture.exchange import Exchange
from slipway.capture.location import CaptureLocation, capture_location
from slipway.capture.writer import CaptureWriter
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.origin import Origin
from slipway.cli import main
from slipway.client import Endpoint
from slipway.model.capture_rules import CaptureRules
from slipway.store.open import open_stage
from tests.drift.traffic import Traffic, make

A, B = "houses_1.0.0.tar.gz", "houses_1.1.0.tar.gz"
COMPARE = ["compare", "houses", "1.0.0", "1.1.0", "--endpoint", "production"]


@pytest.fixture
def houses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Traffic:
    """Two releases; production serves the first, shadowed by the second."""
    traffic = make(tmp_path)
    for version in ("1.0.0", "1.1.0"):
        traffic.release("houses", None, version=version)
    serve(traffic, Alias((Variant(A, 1),), B))
    monkeypatch.chdir(tmp_path)
    return traffic


def serve(traffic: Traffic, alias: Alias) -> None:
    store = open_stage(traffic.settings, "production")
    move_alias(store, "houses", alias, "alias", Origin(), None)
    time.sleep(0.002)  # captures have milliseconds, and follow the move


def capture(
    traffic: Traffic, answers: Sequence[Mapping[str, float]], at: CaptureLocation | None = None
) -> None:
    """Capture a request for each of ``answers``: prices by target model, the first returned."""
    place = at or capture_location(traffic.settings, "production")
    writer = CaptureWriter(place, lambda _: CaptureRules())
    for number, prices in enumerate(answers):
        for position, (target, price) in enumerate(prices.items()):
            rooms = body("inputs", "ROOMS", [number, number / 2])
            answer = body("outputs", "PRICE", [price])
            assert writer.offer(
                Exchange(
                    f"e{number}", time.time(), "production", "AllTraffic", target, rooms,
                    "application/json", answer, "application/json",
                    "shadow" if position else "answer",
                )
            )  # fmt: skip
    writer.close()


def body(side: str, name: str, values: list[float]) -> bytes:
    tensor = {"name": name, "shape": [1, len(values)], "datatype": "FP32", "data": values}
    return json.dumps({side: [tensor]}).encode()


def table(path: Path, labels: Mapping[str, float]) -> Path:
    lines = [f"{event},{label}" for event, label in labels.items()]
    path.write_text("\n".join(["event_id,label", *lines]), encoding="utf-8")
    return path


def test_a_shadow_with_equal_answers_is_equivalent_and_exits_with_0(
    houses: Traffic, capsys: pytest.CaptureFixture[str]
) -> None:
    capture(houses, [{A: 1.0, B: 1.0}] * 500)
    assert main([*COMPARE, "--captured", "--margin", "0.02"]) == 0
    output = capsys.readouterr().out
    assert "500 requests that both answered" in output
    assert f"slipway alias houses {B} --stage production" in output


def test_the_command_that_it_prints_is_accepted(
    houses: Traffic, capsys: pytest.CaptureFixture[str]
) -> None:
    capture(houses, [{A: 1.0, B: 1.0}] * 300)
    assert main([*COMPARE, "--margin", "0.05", "--json"]) == 0
    command = json.loads(capsys.readouterr().out)["to_do"][0]
    assert main(command.split()[1:]) == 0
    assert main([*COMPARE, "--since", "1h", "--margin", "0.05", "--json"]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["to_do"][0] == f"nothing: production serves {B} already"


def test_the_exit_codes_are_for_jobs(houses: Traffic, tmp_path: Path) -> None:
    capture(houses, [{A: 1.0, B: 3.0}] * 300)
    assert main(COMPARE) == 6
    near_a = table(tmp_path / "a.csv", {f"e{n}": 1.1 for n in range(300)})
    near_b = table(tmp_path / "b.csv", {f"e{n}": 2.9 for n in range(300)})
    few = table(tmp_path / "few.csv", {"e1": 1.0})
    assert main([*COMPARE, "--labels", str(near_a)]) == 4
    assert main([*COMPARE, "--labels", str(near_b)]) == 0
    assert main([*COMPARE, "--labels", str(few)]) == 5


def test_only_what_was_captured_since_the_alias_names_both_is_compared(
    houses: Traffic, capsys: pytest.CaptureFixture[str]
) -> None:
    capture(houses, [{A: 1.0, B: 2.0}] * 30)
    serve(houses, Alias((Variant(A, 1), Variant(B, 1))))
    capture(houses, [{target: 1.0} for target in (A, B)] * 40)
    main([*COMPARE, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert (document["design"], document["requests"]) == ("split", {"a": 40, "b": 40})
    assert document["sample_ratio"]["weights"] == [0.5, 0.5]
    main([*COMPARE, "--since", "1h", "--json"])
    assert json.loads(capsys.readouterr().out)["design"] == "paired"


def test_captures_elsewhere_are_read_and_a_picture_is_drawn(
    houses: Traffic, tmp_path: Path
) -> None:
    capture(houses, [{A: 1.0, B: 1.0}] * 300, CaptureLocation(folder=tmp_path / "elsewhere"))
    drawn = tmp_path / "bounds.svg"
    options = ["--captures", "elsewhere", "--margin", "0.05", "--output", str(drawn)]
    assert main([*COMPARE, *options]) == 0
    assert drawn.read_text().startswith("<?xml")


def test_a_replay_asks_the_second_release_what_the_first_was_asked(
    houses: Traffic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capture(houses, [{A: 1.0}] * 120)

    class Model:
        def interface(self, target: str) -> Any:
            from tests.drift.traffic import INTERFACE

            return INTERFACE

        def predict(self, inputs: Mapping[str, Any], *, parameters: Any) -> Any:
            return {"PRICE": np.array([[2.0 if inputs["ROOMS"][0, 0] > 99 else 1.0]], np.float32)}

    monkeypatch.setattr(Endpoint, "__init__", lambda *_, **__: None)
    monkeypatch.setattr(Endpoint, "close", lambda _: None)
    monkeypatch.setattr(Endpoint, "model", lambda *_, **__: Model())
    assert main([*COMPARE, "--replay", "--limit", "110"]) == 6
    output = capsys.readouterr().out
    assert "110 captured requests of A, asked of B again" in output
    assert "90.9 % of the answers are equal" in output
    assert "not asked again: 10 requests beyond --limit 110" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*COMPARE], "no captured request to houses_1.0.0.tar.gz or houses_1.1.0.tar.gz"),
        (["compare", "houses", "1.0.0", "1.0", "--endpoint", "production"], "matches|same release"),
        (["compare", "houses", "1.0.0", "9", "--endpoint", "production"], "9 is not a release"),
        ([*COMPARE, "--output", "bounds.pdf"], "no picture of the kind .pdf"),
        ([*COMPARE, "--replay", "--design", "split"], "--replay or --design, not both"),
        ([*COMPARE, "--since", "yesterday"], "is not a length of time"),
    ],
)
def test_what_is_wrong_is_said(
    houses: Traffic, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    assert main(arguments) in (1, 2)
    assert re.search(message, capsys.readouterr().err)
