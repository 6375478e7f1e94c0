"""A config that is read quickly is read as protobuf reads it, whatever its text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.triton import config
from slipway.triton.pbtxt import Fields
from slipway.triton.plain_config import read_plain
from tests.triton.test_pbtxt import STYLES, messages

SCHEMA = config.schema()
FIXTURES = Path(__file__).parents[1] / "check" / "fixtures"
SOUND = [path.read_text() for path in sorted((FIXTURES / "good").rglob("config.pbtxt"))]
WITH_MISTAKES = [
    path.read_bytes().decode(errors="replace")
    for path in sorted((FIXTURES / "bad").rglob("config.pbtxt"))
]
MARKS = "{ } [ ] [] < > , ; : - - 1 -1 0 -0 01 0x1 1.5 1e3 1. .5 4294967296 true True t".split(" ")
PIECES = [
    *MARKS,
    *("'a' 'b'", '"\\n"', '"ä"', "- 1", "99999999999999999999", "# comment\n", "\n", "\ufeff"),
    *("name: 'x'", "name: ''", "max_batch_size: 1", "nope", "optional: true", "key: 'k'"),
    *("TYPE_FP32", "TYPE_INVALID", "dims: [ 1, 2, ]", "dims: 3", "input { } input < >"),
    *("dynamic_batching { }", "sequence_batching { direct { } }", "priority_levels: 2"),
    *("direct { minimum_slot_utilization: 0.5 }", "parameters [ { key: 'a' } ]"),
    "parameters { key: 'a' value { string_value: 'b' } }",
]


def read(text: str) -> Any:
    """Return the message of a text; ``None`` where it is left to protobuf."""
    message = SCHEMA.ModelConfig()
    return message if read_plain(Fields(text, message.DESCRIPTOR).tokens, message) else None


def expect_alike(text: str) -> None:
    """Assert that a text is read as protobuf does, if at all."""
    message = read(text)
    if message is not None:  # else protobuf says what is wrong with it
        assert message == text_format.Parse(text, SCHEMA.ModelConfig())


@pytest.mark.parametrize("text", SOUND)
def test_usual_configs_are_read_quickly(text: str) -> None:
    assert read(text) == text_format.Parse(text, SCHEMA.ModelConfig())


@pytest.mark.parametrize("text", WITH_MISTAKES)
def test_configs_with_mistakes_are_read_alike_or_left_to_protobuf(text: str) -> None:
    expect_alike(text)


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=40, deadline=None)
@given(message=messages())
def test_every_style_is_read_alike_or_left_to_protobuf(style: str, message: Any) -> None:
    expect_alike(text_format.MessageToString(message, **STYLES[style]))


@settings(max_examples=600, deadline=None)
@given(
    text=st.sampled_from(SOUND + WITH_MISTAKES),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 3), st.sampled_from(PIECES)), max_size=3
    ),
)
def test_an_edited_config_is_read_alike_or_left_to_protobuf(
    text: str, edits: list[tuple[float, int, str]]
) -> None:
    for place, removed, piece in edits:
        tokens = Fields(text, SCHEMA.ModelConfig.DESCRIPTOR).tokens
        at = int(place * len(tokens))
        first = tokens[at].start if at < len(tokens) else len(text)
        last = tokens[at + removed].start if at + removed < len(tokens) else len(text)
        text = f"{text[:first]}{piece}{text[last:]}"
    expect_alike(text)


@pytest.mark.parametrize(
    "text",
    [
        'name: "a" name: "a"',
        'name: "" name: "b"',
        "dynamic_batching { } sequence_batching { }",
        'name: "a" "b"',
        'name: "\\x41"',
        "max_batch_size: 0x10",
        "max_batch_size: 3000000000",
        "input: [ { }, ]",
        "nope: 1",
        'name "a"',
        "input { ",
        "input { } }",
    ],
)
def test_what_is_unusual_is_left_to_protobuf(text: str) -> None:
    assert read(text) is None
