"""Single calls of the container's contract."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.server.client import Client, ServerGoneError
from slipway.server.server import Server
from slipway.triton.kserve import message_of
from tests import fixture_models


def test_json_requests_are_answered_in_json(server: Server, tmp_path: Path) -> None:
    server.load("json", fixture_models.copy("adder", tmp_path))
    tensor = {"shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}
    body = json.dumps({"inputs": [{"name": "A"} | tensor, {"name": "B"} | tensor]}).encode()
    answer = server.client.invoke_raw(server.model_hash("json"), "json", body, "application/json")
    assert answer.status == 200
    assert json.loads(answer.body)["outputs"][0]["data"] == [2.0, 4.0, 6.0, 8.0]
    server.unload("json")


def test_a_type_that_triton_does_not_have_is_refused_before_it_is_sent(server: Server) -> None:
    with pytest.raises(SlipwayError, match="input 'X'.*complex128") as caught:
        server.invoke("none", {"X": np.array([1j])})
    assert caught.value.fix


def test_nobody_listening_is_told_apart_from_a_refusal() -> None:
    with pytest.raises(ServerGoneError):
        Client(1).call("GET", "/ping")
    assert not Client(1).ready()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":"a \\"b\\""}', 'a "b"'),
        (b'{"error":"first"}{"error":"second"}', "first"),
        (b"plain", "plain"),
        (b"", "HTTP 404 without a message"),
    ],
)
def test_the_message_of_any_answer_can_be_read(body: bytes, said: str) -> None:
    assert message_of(404, body) == said
