"""Requests are joined as NVIDIA's ONNX Runtime backend joins them: all of a batch, at any size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.server.onnxruntime_backend.joining import Plan, as_text, join
from slipway.server.server import Server
from tests.check import corpus
from tests.check.real_server import RealServer, as_json
from tests.server import native_cases

BATCHER = "dynamic_batching { max_queue_delay_microseconds: 2000000 preferred_batch_size: 4 }"
SOURCES = [np.zeros((1, 3), np.float32), np.zeros((2, 2), np.float32)]


def test_all_joined_requests_get_one_requests_scalar(server: Server, tmp_path: Path) -> None:
    """2a.1: four clients send 1, 2, 3 and 4, and all four get one of them."""
    graph = "g (float[N,1] X, float S) => (float[N,1] Y) { Y = Mul (X, S) }"
    tensors = """input { name: "X" data_type: TYPE_FP32 dims: 1 }
    input { name: "S" data_type: TYPE_FP32 dims: 1 }
    output { name: "Y" data_type: TYPE_FP32 dims: 1 }"""
    server.load("scalars", native_cases.write(tmp_path, graph, f"{tensors}\n{BATCHER}"))
    one = np.ones((1, 1), np.float32)
    answers = _parallel(server, "scalars", [{"X": one, "S": one * n} for n in (1, 2, 3, 4)])
    assert len({float(answer["Y"][0, 0]) for answer in answers}) == 1
    server.unload("scalars")


@pytest.mark.parametrize("columns", [1, 100_000])
def test_a_graph_that_mixes_its_batch_is_found_whatever_the_size_of_its_input(
    columns: int, server: Server, tmp_path: Path
) -> None:
    """2a.4: joined requests of 1.6 MB minus their mean give -1.5, -0.5, 0.5, 1.5."""
    graph = f"""g (float[N,{columns}] X) => (float[N,{columns}] Y) {{
        mean = ReduceMean <axes = [0]> (X)
        Y = Sub (X, mean)
    }}"""
    tensors = f"""input {{ name: "X" data_type: TYPE_FP32 dims: {columns} }}
    output {{ name: "Y" data_type: TYPE_FP32 dims: {columns} }}"""
    target = f"mixing_{columns}"
    server.load(target, native_cases.write(tmp_path, graph, f"{tensors}\n{BATCHER}"))
    row = np.ones((1, columns), np.float32)
    answers = _parallel(server, target, [{"X": row * n} for n in (1, 2, 3, 4)])
    assert [float(answer["Y"][0, 0]) for answer in answers] == [-1.5, -0.5, 0.5, 1.5]
    server.unload(target)


def test_ragged_requests_and_their_batch_inputs_are_answered(tmp_path: Path) -> None:
    """2b: the corpus' ``ragged_batches``, which the native backend serves."""
    with RealServer(tmp_path / "server") as server:
        folder = corpus.make("ragged_batches", tmp_path / "repository")
        outcome = server.outcome(folder, [_tokens([1, 2, 3]), _tokens([4, 5])])
    assert outcome.refused == ""
    # the sum of the request's tokens, and their number
    assert [answer["Y"].tolist() for answer in outcome.answers if isinstance(answer, dict)] == [
        [[9.0]],
        [[11.0]],
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("BATCH_ELEMENT_COUNT", [3, 4]),
        ("BATCH_ACCUMULATED_ELEMENT_COUNT", [3, 7]),
        ("BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO", [0, 3, 7]),
        ("BATCH_MAX_ELEMENT_COUNT_AS_SHAPE", [0, 0, 0, 0]),
        ("BATCH_ITEM_SHAPE", [[3], [2], [2]]),
        ("BATCH_ITEM_SHAPE_FLATTEN", [3, 2, 2]),
    ],
)
def test_a_batch_input_is_computed_of_its_source(kind: str, expected: list[Any]) -> None:
    batch_input = {
        "kind": kind,
        "target_name": ["SIZES"],
        "data_type": "TYPE_INT32",
        "source_input": ["X"],
    }
    plan = Plan(True, frozenset(), frozenset({"X"}), (batch_input,))
    joined = join([{"X": source} for source in SOURCES], plan)
    assert joined["X"].shape == (7,)
    assert joined["SIZES"].dtype == np.int32
    assert joined["SIZES"].tolist() == expected


def test_text_ends_at_a_nul_and_stays_bytes_only_where_it_is_not_utf8() -> None:
    good = as_text(np.array([[b"ab\0cd"], ["é".encode()]], dtype=np.object_))
    assert good.dtype == np.object_ and good.tolist() == [["ab"], ["é"]]
    raw = as_text(np.array([[b"\xff\0x"], [b"longer"]], dtype=np.object_))
    assert raw.dtype.kind == "S" and raw.tolist() == [[b"\xff"], [b"longer"]]


def _parallel(server: Server, target: str, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(lambda request: server.invoke(target, request), requests))


def _tokens(values: list[float]) -> tuple[bytes, str]:
    tensor = {"name": "TOKENS", "datatype": "FP32", "shape": [1, len(values)], "data": values}
    return as_json({"inputs": [tensor]})
