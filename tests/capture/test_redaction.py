"""What a rule does not keep is not in the line, whatever a request holds."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from slipway.capture.hash_key import HashKey
from slipway.capture.line import encode_line
from slipway.capture.parse_line import parse_line
from slipway.model.capture_rules import CaptureRules, TensorRule
from slipway.triton.bodies import UndecodableError
from tests.capture.exchanges import exchange, picture, rules

KEY = HashKey(b"k" * 32)
SECRET = b"4929-1234-5678-9012"


def line_of(captured: object, rule: CaptureRules, key: HashKey | None = KEY) -> bytes:
    return encode_line(captured, rule, key)  # type: ignore[arg-type]


def all_bytes(line: bytes) -> bytes:
    """The bytes of a line, and those of its bodies."""
    data = json.loads(line)["captureData"]
    bodies = [data["endpointInput"], data["endpointOutput"]]
    return line + b"".join(
        base64.b64decode(body["data"]) if body["encoding"] == "BASE64" else body["data"].encode()
        for body in bodies
    )


@given(
    st.binary(min_size=6),
    st.sampled_from(["drop", "shape", "hash", "thumbnail"]),
    st.booleans(),
)
def test_no_byte_of_a_redacted_string_is_in_its_line(value: bytes, keep: str, other: bool) -> None:
    rule = TensorRule(keep)  # type: ignore[arg-type]
    redacting = CaptureRules(other=rule) if other else CaptureRules(tensors={"S": rule})
    secret = b"\x00\xff secret \x01" + value
    sent = exchange({"S": np.array([[secret]], dtype=np.object_)}, {"S": np.array([[secret]])})
    assert secret in all_bytes(line_of(sent, CaptureRules()))
    assert secret not in all_bytes(line_of(sent, redacting))


@pytest.mark.parametrize("keep", ["nothing", "shape", "hash"])
def test_no_byte_of_a_redacted_string_is_in_the_line_of_a_json_body(keep: str) -> None:
    body = {
        "inputs": [
            {"name": "CARD", "shape": [1], "datatype": "BYTES", "data": [SECRET.decode()]},
            {"name": "X", "shape": [1], "datatype": "FP32", "data": [1.5]},
        ],
        "unknown": SECRET.decode(),
    }
    sent = exchange(request=json.dumps(body).encode(), request_type="application/json")
    line = line_of(sent, rules({"CARD": {"keep": keep}}))
    assert SECRET not in all_bytes(line)
    captured = parse_line(line)
    assert captured.inputs["X"].tolist() == [1.5]
    assert captured.redacted == {"CARD": "drop" if keep == "nothing" else keep}


def test_a_body_that_cannot_be_redacted_is_not_captured() -> None:
    sent = exchange(request=SECRET, request_type="text/csv")
    with pytest.raises(UndecodableError) as error:
        line_of(sent, rules({"CARD": {"keep": "nothing"}}))
    assert SECRET.decode() not in str(error.value)


def test_values_that_are_not_of_their_type_keep_their_shape_only() -> None:
    entry = {"name": "X", "shape": [1], "datatype": "INT32", "data": [SECRET.decode()]}
    body = json.dumps({"inputs": [entry]}).encode()
    sent = exchange(request=body, request_type="application/json")
    line = line_of(sent, rules({"X": {"keep": "hash"}}))
    captured = parse_line(line)
    assert captured.redacted["X"] == "shape"
    assert SECRET not in all_bytes(line)
    assert SECRET.decode() not in captured.notes["X"]


def test_equal_rows_have_equal_hashes_and_another_key_gives_others() -> None:
    sent = exchange({"AGE": np.array([[41], [41], [42]], np.int32)})
    hashing = rules({"AGE": {"keep": "hash"}})
    first, again, other = parse_line(line_of(sent, hashing)).inputs["AGE"].tolist()
    assert first == again != other
    with_another = parse_line(line_of(sent, hashing, HashKey(b"l" * 32))).inputs["AGE"]
    assert with_another.tolist()[0] != first


def test_a_value_has_another_hash_in_another_tensor() -> None:
    values = np.array([[7]], np.int32)
    hashing = CaptureRules(other=TensorRule("hash"))
    captured = parse_line(line_of(exchange({"A": values, "B": values}), hashing))
    assert captured.inputs["A"].tolist() != captured.inputs["B"].tolist()


def test_a_value_has_the_same_hash_in_json_and_in_binary() -> None:
    hashing = rules({"X": {"keep": "hash"}})
    entry = {"name": "X", "shape": [1, 1], "datatype": "FP32", "data": [0.1]}
    as_json = exchange(
        request=json.dumps({"inputs": [entry]}).encode(), request_type="application/json"
    )
    binary = exchange({"X": np.array([[0.1]], np.float32)})
    hashes = [parse_line(line_of(sent, hashing)).inputs["X"].tolist() for sent in (as_json, binary)]
    assert hashes[0] == hashes[1]


@given(st.lists(st.lists(st.binary(max_size=3), min_size=2, max_size=2), min_size=1, max_size=4))
def test_two_rows_of_strings_have_one_hash_only_if_they_are_equal(rows: list[list[bytes]]) -> None:
    array = np.empty((len(rows), 2), dtype=np.object_)
    array[:] = rows
    captured = parse_line(line_of(exchange({"S": array}), rules({"S": {"keep": "hash"}})))
    hashes = captured.inputs["S"].tolist()
    assert len(set(hashes)) == len({tuple(row) for row in rows})


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_a_picture_becomes_a_small_one_without_what_its_camera_wrote(kind: str) -> None:
    sent = exchange({"IMAGE": np.array([[picture(kind=kind)]], dtype=np.object_)})
    line = line_of(sent, rules({"IMAGE": {"keep": "thumbnail", "pixels": 1000}}))
    captured = parse_line(line)
    [thumbnail] = captured.inputs["IMAGE"].tolist()
    small = Image.open(io.BytesIO(thumbnail))
    assert small.width * small.height <= 1000
    assert small.width / small.height == pytest.approx(4 / 3, rel=0.1)
    assert b"taken at home" not in all_bytes(line)
    assert captured.shapes["IMAGE"] == ("BYTES", (1, 1))


@pytest.mark.parametrize(
    "shape", [(2, 480, 640, 3), (2, 3, 480, 640), (480, 640, 3), (480, 640), (2, 480, 640, 1)]
)
def test_an_array_of_pixels_becomes_small_pictures(shape: tuple[int, ...]) -> None:
    sent = exchange({"IMAGE": np.full(shape, 200, np.uint8)})
    captured = parse_line(line_of(sent, rules({"IMAGE": {"keep": "thumbnail"}})))
    thumbnails = captured.inputs["IMAGE"].tolist()
    assert len(thumbnails) == (2 if len(shape) == 4 else 1)
    for thumbnail in thumbnails:
        small = Image.open(io.BytesIO(thumbnail))
        assert small.width * small.height <= 4096
        assert np.asarray(small.convert("L")).mean() == pytest.approx(200, abs=1)


@pytest.mark.parametrize(
    "value",
    [
        np.array([[b"no picture"]], dtype=np.object_),
        np.array([[picture()[:3000]]], dtype=np.object_),  # its end is missing
        np.ones((1, 3, 4, 4), np.float32),
        np.ones((5, 7, 9, 11), np.uint8),
        np.ones((0, 4, 4, 3), np.uint8),
    ],
)
def test_what_is_no_picture_keeps_its_shape_only_and_says_why(value: np.ndarray) -> None:  # type: ignore[type-arg]
    captured = parse_line(
        line_of(exchange({"IMAGE": value}), rules({"IMAGE": {"keep": "thumbnail"}}))
    )
    assert captured.redacted == {"IMAGE": "shape"}
    assert captured.notes["IMAGE"]
    assert "IMAGE" not in captured.inputs


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 4096))
def test_a_thumbnail_has_at_most_the_pixels_of_its_rule(
    width: int, height: int, pixels: int
) -> None:
    from slipway.capture.thumbnail import thumbnails

    [png] = thumbnails(np.zeros((height, width), np.uint8), pixels)
    small = Image.open(io.BytesIO(png))
    assert 1 <= small.width * small.height <= pixels


def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    # 100 million grey pixels in a few kilobytes
    out = io.BytesIO()
    Image.new("L", (10_000, 10_000)).save(out, "PNG")
    sent = exchange({"IMAGE": np.array([[out.getvalue()]], dtype=np.object_)})
    captured = parse_line(line_of(sent, rules({"IMAGE": {"keep": "thumbnail"}})))
    assert captured.redacted == {"IMAGE": "shape"}
