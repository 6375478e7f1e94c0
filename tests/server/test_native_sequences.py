"""Sequences keep their states on the local ONNX backend, as on NVIDIA's (2b)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from slipway.server.backend_parts.states import END, START, States
from slipway.server.client import TARGET
from slipway.server.server import Server
from slipway.testing import contract, golden
from slipway.testing.example_request import choose_request
from slipway.testing.model import Model
from slipway.triton import kserve
from tests.server import native_cases

# without an initial_state, the first request's state is whatever the memory holds
GRAPH = """g (int32[N,1] X, float[N,1] START, int32[N,1] SUM_IN)
  => (int32[N,1] Y, int32[N,1] SUM_OUT, float[N,1] STARTED)
  <int32[1] zero = {0}>
{
    starts = Cast <to = 9> (START)
    kept = Where (starts, zero, SUM_IN)
    SUM_OUT = Add (kept, X)
    Y = Identity (SUM_OUT)
    STARTED = Identity (START)
}"""
CONFIG = """input { name: "X" data_type: TYPE_INT32 dims: 1 }
output { name: "Y" data_type: TYPE_INT32 dims: 1 }
output { name: "STARTED" data_type: TYPE_FP32 dims: 1 }
sequence_batching {
  max_sequence_idle_microseconds: 60000000
  %s { }
  control_input {
    name: "START"
    control { kind: CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ] }
  }
  state { input_name: "SUM_IN" output_name: "SUM_OUT" data_type: TYPE_INT32 dims: 1 }
}"""
STATE = {"sequence_batching": {"state": [{"input_name": "IN", "output_name": "OUT"}]}}


def test_parallel_sequences_each_add_up_their_own(server: Server, tmp_path: Path) -> None:
    for strategy in ("direct", "oldest"):
        folder = native_cases.write(tmp_path / strategy, GRAPH, CONFIG % strategy)
        server.load(strategy, folder)
        with ThreadPoolExecutor(4) as pool:
            sums = list(pool.map(lambda n, t=strategy: _sequence(server, t, n), range(1, 5)))
        for number, answers in enumerate(sums, start=1):
            assert [total for total, _ in answers] == [number * k for k in range(1, 11)]
            assert [started for _, started in answers] == [1.0] + [0.0] * 9
        # a sequence that begins again begins at zero
        assert _sequence(server, strategy, 2)[0] == (2, 1.0)
        server.unload(strategy)


def test_a_golden_case_of_a_sequence_names_it(server: Server, tmp_path: Path) -> None:
    folder = native_cases.write(tmp_path / "model", GRAPH, CONFIG % "direct")
    server.load("golden", folder)
    case = tmp_path / "case"
    case.mkdir()
    marks = {"sequence_id": 5, "sequence_start": True, "sequence_end": True}
    model = Model(server, "golden")
    for parameters, expected in ((marks, [[3]]), ({}, "correlation ID")):
        asked = {"inputs": {"X": [[3]]}, "parameters": parameters}
        (case / golden.INPUT).write_text(json.dumps(asked), encoding="utf-8")
        got = golden.outcome(model, case)
        if isinstance(expected, str):
            assert expected in str(got)
        else:
            assert isinstance(got, dict) and got["Y"].tolist() == expected
        # the second case is refused, so that the contract is tested with the first one's request
        request = choose_request(model, tmp_path)
        assert contract.check(server, "golden", folder, request) == []
    server.unload("golden")


def test_a_state_outlives_neither_its_sequence_nor_its_idle_time() -> None:
    now = [0.0]
    states = States({**STATE}, clock=lambda: now[0])
    initial = {"IN": np.zeros((1, 1))}

    def step(sequence: int, flags: int, value: float) -> float:
        seen = states.fill(sequence, flags, initial)["IN"].item()
        states.update(sequence, flags, {"OUT": np.full((1, 1), value)})
        return float(seen)

    assert step(1, START, 5) == 0
    assert step(0, 0, 9) == 0  # a request that fills the batch belongs to none
    assert step(1, 0, 6) == 5
    assert step(1, END, 7) == 6
    assert step(1, 0, 8) == 0
    step(2, START, 4)
    now[0] = 2.0  # the default is one second
    step(3, START, 1)
    assert step(2, 0, 0) == 0


def _sequence(server: Server, target: str, number: int) -> list[tuple[int, float]]:
    """Send ``number`` ten times as the sequence of that number; return what was answered."""
    answers = []
    for turn in range(10):
        marks = {"sequence_id": number, "sequence_start": turn == 0, "sequence_end": turn == 9}
        tensor = {"name": "X", "datatype": "INT32", "shape": [1, 1], "data": [number]}
        answer = server.client.call(
            "POST",
            f"/models/{server.model_hash(target)}/invoke",
            json.dumps({"inputs": [tensor], "parameters": marks}).encode(),
            {TARGET: target, "Content-Type": "application/json"},
        )
        assert answer.status == 200, answer.body
        outputs = kserve.decode(answer.body, answer.content_type)
        answers.append((int(outputs["Y"].item()), float(outputs["STARTED"].item())))
    return answers
