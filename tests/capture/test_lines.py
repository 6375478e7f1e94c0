"""A line says what was sent and answered, in SageMaker's form."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from slipway.capture.line import encode_line
from slipway.capture.parse_line import ForeignLineError, parse_line
from slipway.triton.bodies import Body, UndecodableError, build_body, parse_body
from slipway.triton.datatypes import NUMPY_TYPES, Array
from tests.capture.exchanges import BASE64_LINE, CSV_LINE, KEEP_ALL, exchange, rules

NUMBERS = [np.dtype(scalar) for scalar in NUMPY_TYPES.values() if scalar is not np.object_]
SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@st.composite
def tensors(draw: st.DrawFn) -> Array:
    if draw(st.booleans()):
        return draw(arrays.arrays(st.sampled_from(NUMBERS), SHAPES))
    shape = draw(SHAPES)
    array = np.empty(shape, dtype=np.object_)
    flat = array.reshape(-1)
    for index in range(flat.size):
        flat[index] = draw(st.binary(max_size=6))
    return array


@given(
    st.dictionaries(names, tensors(), min_size=1, max_size=3),
    st.text(min_size=1, max_size=20),
    st.sampled_from(["answer", "shadow"]),
    st.booleans(),
)
def test_a_line_gives_back_what_was_sent(
    sent: dict[str, Array], event_id: str, role: str, redacts: bool
) -> None:
    captured_rules = rules({"another tensor": {"keep": "nothing"}}) if redacts else KEEP_ALL
    given_exchange = exchange(
        sent, sent, event_id=event_id.encode("utf-8", "replace").decode(), role=role
    )
    line = encode_line(given_exchange, captured_rules, None)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    captured = parse_line(line)
    assert captured.event_id == given_exchange.event_id
    assert captured.role == role
    assert captured.target == given_exchange.target
    assert captured.when.timestamp() == pytest.approx(given_exchange.when, abs=1e-5)
    for side in (captured.inputs, captured.outputs):
        assert list(side) == list(sent)
        for name, array in sent.items():
            assert side[name].dtype == array.dtype
            np.testing.assert_array_equal(side[name], array)


def test_a_line_has_sagemakers_fields() -> None:
    line = json.loads(encode_line(exchange(when=1_700_000_000.25), KEEP_ALL, None))
    assert list(line)[:3] == ["captureData", "eventMetadata", "eventVersion"]
    assert line["eventVersion"] == "0"
    assert line["eventMetadata"]["inferenceTime"] == "2023-11-14T22:13:20Z"
    for side, mode in (("endpointInput", "INPUT"), ("endpointOutput", "OUTPUT")):
        assert set(line["captureData"][side]) == {
            "observedContentType", "mode", "data", "encoding",
        }  # fmt: skip
        assert line["captureData"][side]["mode"] == mode
        assert line["captureData"][side]["encoding"] == "BASE64"


@given(st.floats(-1e9, 4e9))
def test_the_time_of_a_line_is_that_of_the_request_to_the_microsecond(when: float) -> None:
    ours = json.loads(encode_line(exchange(when=when), KEEP_ALL, None))["slipway"]
    assert ours["time"] == datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds")


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_text_in_a_line_is_that_of_the_exchange(
    event_id: str, content_type: str, target: str, inference_id: str
) -> None:
    sent = exchange(
        event_id=event_id, request_type=content_type, target=target, inference_id=inference_id
    )
    line = json.loads(encode_line(sent, KEEP_ALL, None))
    metadata, ours = line["eventMetadata"], line["slipway"]
    assert line["captureData"]["endpointInput"]["observedContentType"] == content_type
    assert metadata["eventId"] == event_id
    assert metadata.get("inferenceId", "") == inference_id
    assert ours["time"] == datetime.fromtimestamp(sent.when, UTC).isoformat(timespec="microseconds")
    assert metadata["inferenceTime"] == ours["time"][:19] + "Z"
    del ours["time"]
    assert ours == {
        "format": 1, "endpoint": "local", "variant": "AllTraffic", "targetModel": target,
        "role": "answer", "retentionDays": KEEP_ALL.retention_days,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content_type", "body", "encoding"),
    [
        ("application/json", b'{"a": "\xc3\xa4"}', "JSON"),
        ("application/json; charset=utf-8", b"{}", "JSON"),
        ("text/csv", b"1,2\n", "CSV"),
        ("text/csv", b"\xff", "BASE64"),
        ("application/octet-stream", b"\x00", "BASE64"),
    ],
)
def test_a_body_is_encoded_as_sagemaker_does(content_type: str, body: bytes, encoding: str) -> None:
    sent = exchange(request=body, request_type=content_type)
    captured = json.loads(encode_line(sent, KEEP_ALL, None))["captureData"]["endpointInput"]
    assert captured["encoding"] == encoding
    assert captured["observedContentType"] == content_type
    if encoding != "BASE64":
        assert captured["data"] == body.decode()


def test_a_line_of_sagemakers_csv_is_read() -> None:
    captured = parse_line(CSV_LINE, endpoint="e", variant="v", target="boston_1.0.0.tar.gz")
    assert captured.inputs["body"].shape == (1, 12)
    assert captured.outputs["body"].tolist() == [[30.4133586884]]
    assert captured.when == datetime(2020, 7, 30, 13, 36, 30, tzinfo=UTC)
    assert (captured.endpoint, captured.variant, captured.name) == ("e", "v", "boston")


def test_a_line_of_sagemaker_may_name_its_target_model_in_custom_attributes() -> None:
    captured = parse_line(BASE64_LINE)
    assert captured.target == "a_1.2.0.tar.gz"
    assert captured.inputs["body"].tolist() == [[1, 2, 3]]
    assert captured.outputs == {}


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}", b"[]", b"null", b"no JSON", b"[" * 100_000,
        b'{"captureData": 1, "eventMetadata": {}}',
        CSV_LINE.replace(b"2020-07-30", b"yesterday"), CSV_LINE[:-40],
        BASE64_LINE.replace(b"MSwy", b"!!!!"),
    ],
)  # fmt: skip
def test_a_line_of_another_kind_is_refused(line: bytes) -> None:
    with pytest.raises(ForeignLineError):
        parse_line(line)


@given(st.binary(max_size=200), st.sampled_from(["", "application/json"]), st.integers(-5, 300))
def test_any_bytes_are_taken_apart_or_refused(body: bytes, content_type: str, size: int) -> None:
    from slipway.triton.kserve import BINARY

    for kind in (content_type, f"{BINARY}{size}"):
        with contextlib.suppress(UndecodableError):
            parse_body(body, kind, "inputs")


@pytest.mark.parametrize(
    "header",
    [
        {"inputs": [{"name": "X", "shape": [2], "datatype": "FP32",
                     "parameters": {"binary_data_size": 99}}]},
        {"inputs": [{"name": "X", "shape": [2], "datatype": "FP32"}]},
        {"inputs": [{"name": "X", "shape": [-1], "datatype": "FP32", "data": [1]}]},
        {"inputs": [{"name": "X", "shape": [1], "datatype": "FP32", "data": [1]}] * 2},
        {"inputs": [{"name": "X", "shape": "1", "datatype": "FP32", "data": [1]}]},
        {"inputs": 5}, {"outputs": []}, [],
    ],
)  # fmt: skip
def test_a_header_that_does_not_fit_is_refused(header: Any) -> None:
    with pytest.raises(UndecodableError):
        parse_body(json.dumps(header).encode(), "application/json", "inputs")


@given(st.dictionaries(names, tensors(), min_size=1, max_size=3))
def test_a_body_that_is_put_together_again_has_the_same_tensors(sent: dict[str, Array]) -> None:
    captured = exchange(sent)
    body = parse_body(captured.request, captured.request_type, "inputs")
    data, content_type = build_body(body)
    again: Body = parse_body(data, content_type, "inputs")
    assert {n: (t.datatype, t.shape, t.data) for n, t in again.tensors.items()} == {
        n: (t.datatype, t.shape, t.data) for n, t in body.tensors.items()
    }
    assert again.parameters == body.parameters
