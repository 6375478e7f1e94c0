"""The inputs that are sent: golden cases, --data, or zeros."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.loadtest import inputs
from slipway.model.interface import Interface, Tensor
from slipway.triton import kserve

X = Interface(8, {"X": Tensor("FP32", (2,))}, {})
MIXED = Interface(
    4,
    {
        "TEXT": Tensor("BYTES", (1,)),
        "N": Tensor("INT64", (-1, 3)),
        "MAYBE": Tensor("FP32", (1,), optional=True),
    },
    {},
)


def case(folder: Path, name: str, inputs: Any, expected: Any, **parameters: Any) -> None:
    directory = folder / "tests" / "cases" / name
    directory.mkdir(parents=True)
    text = json.dumps({"inputs": inputs, "parameters": parameters})
    (directory / "input.json").write_text(text, encoding="utf-8")
    (directory / "expected.json").write_text(json.dumps(expected), encoding="utf-8")


def test_golden_cases_are_sent_except_those_that_expect_an_error(tmp_path: Path) -> None:
    case(tmp_path, "a", {"X": [[1, 2]]}, {"outputs": {}})
    case(tmp_path, "b", {"X": [[3, 4], [5, 6]]}, {"outputs": {}})
    case(tmp_path, "bad", {"X": [[7, 8]]}, {"error": "no sevens"})
    requests, origin = inputs.encode_requests("m", "m_1.0.0.tar.gz", X, tmp_path, None)
    assert origin == "2 golden cases"
    assert [request.target for request in requests] == ["m_1.0.0.tar.gz"] * 2
    sent = [kserve.encode({"X": np.array(x, np.float32)}) for x in ([[1, 2]], [[3, 4], [5, 6]])]
    assert [(request.body, request.content_type) for request in requests] == sent


def test_a_case_of_a_sequence_is_sent_as_many_sequences(tmp_path: Path) -> None:
    whole = {"sequence_start": True, "sequence_end": True}
    case(tmp_path, "a", {"X": [[1, 2]]}, {"outputs": {}}, sequence_id=7, **whole)
    requests, _ = inputs.encode_requests("m", "m_1.0.0.tar.gz", X, tmp_path, None)
    sizes = [int(request.content_type.rpartition("=")[2]) for request in requests]
    heads = [json.loads(r.body[:size]) for r, size in zip(requests, sizes, strict=True)]
    ids = [head["parameters"]["sequence_id"] for head in heads]
    assert ids == list(range(7, 7 + inputs.SEQUENCES))
    assert all(whole.items() <= head["parameters"].items() for head in heads)


def test_cases_of_another_release_of_the_model_are_left_out(tmp_path: Path) -> None:
    case(tmp_path, "new", {"X": [[1, 2]], "Z": [[1]]}, {"outputs": {}})
    requests, origin = inputs.select_inputs("m", X, tmp_path, None)
    assert origin.startswith("zeros") and requests[0].arrays["X"].tolist() == [[0, 0]]


def test_data_of_the_user_is_sent_instead(tmp_path: Path) -> None:
    case(tmp_path, "a", {"X": [[1, 2]]}, {"outputs": {}})
    requests, origin = inputs.select_inputs("m", X, tmp_path, {"X": [9, 9]})
    assert origin == "the inputs given" and [r.arrays["X"].tolist() for r in requests] == [[[9, 9]]]


def test_zeros_are_a_batch_of_one(tmp_path: Path) -> None:
    (requests,), _ = inputs.select_inputs("m", MIXED, tmp_path, None)
    assert {name: array.shape for name, array in requests.arrays.items()} == {
        "TEXT": (1, 1),
        "N": (1, 1, 3),
    }
    assert requests.arrays["TEXT"].tolist() == [[b""]] and requests.arrays["N"].dtype == np.int64


def test_a_body_that_sagemaker_would_refuse_is_refused(tmp_path: Path) -> None:
    wide = Interface(0, {"X": Tensor("FP64", (1_000_000,))}, {})
    with pytest.raises(SlipwayError, match="SageMaker accepts"):
        inputs.encode_requests("m", "t", wide, tmp_path, None)
