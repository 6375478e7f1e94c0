"""Where the fields of a config stand, in whatever style it is written."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.triton import config
from slipway.triton.pbtxt import FieldPath, Fields, tokenise

SCHEMA = config.schema()
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
PIECES = [
    *"{}[]<>:,;\"'#\\\n -1",
    "input",
    "name",
    "dims",
    "parameters",
    "key",
    "value",
    " ",
    "nope",
]
# not a mapping: it cannot be iterated
TYPES = [name for name in SCHEMA.DataType.keys() if name != "TYPE_INVALID"]  # noqa: SIM118


def fields_of(text: str) -> Fields:
    """The fields of a ``ModelConfig``."""
    return Fields(text, SCHEMA.ModelConfig.DESCRIPTOR)


@st.composite
def messages(draw: st.DrawFn) -> Any:
    """Configs with scalars of every kind, repeated fields, nested messages and maps."""
    message = SCHEMA.ModelConfig(
        name=draw(TEXTS),
        backend=draw(TEXTS),
        max_batch_size=draw(st.integers(-(2**31), 2**31 - 1)),
    )
    for _ in range(draw(st.integers(0, 3))):
        message.input.add(
            name=draw(TEXTS),
            data_type=draw(st.sampled_from(TYPES)),
            dims=draw(st.lists(st.integers(-1, 2**62), max_size=4)),
            optional=draw(st.booleans()),
        )
    for key in draw(st.lists(TEXTS, max_size=3, unique=True)):
        message.parameters[key].string_value = draw(TEXTS)
    if draw(st.booleans()):
        batching = message.dynamic_batching
        batching.max_queue_delay_microseconds = draw(st.integers(0, 2**64 - 1))
        batching.preferred_batch_size.extend(draw(st.lists(st.integers(0, 64), max_size=3)))
    elif draw(st.booleans()):
        share = draw(st.floats(0, 1, width=32))
        message.sequence_batching.direct.minimum_slot_utilization = share
    return message


STYLES: dict[str, dict[str, Any]] = {
    "lines": {},
    "one line": {"as_one_line": True},
    "brackets": {"use_short_repeated_primitives": True},
    "angles": {"pointy_brackets": True},
    "UTF-8": {"as_utf8": True, "use_short_repeated_primitives": True},
}


def scalars(message: Any, path: FieldPath = ()) -> list[tuple[FieldPath, Any, Any]]:
    """The path, field and value of every scalar that a message has set, maps left out."""
    found: list[tuple[FieldPath, Any, Any]] = []
    for field, value in message.ListFields():
        here = (*path, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        repeated = field.is_repeated
        for number, each in enumerate(value) if repeated else [(0, value)]:
            place = (*here, number) if repeated else here
            if field.message_type is None:
                found.append((place, field, each))
            else:
                found += scalars(each, place)
    return found


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=40, deadline=None)
@given(message=messages())
def test_the_span_of_each_scalar_holds_its_value(style: str, message: Any) -> None:
    text = text_format.MessageToString(message, **STYLES[style])
    fields = fields_of(text)
    for path, field, value in scalars(message):
        span = fields.spans[path]
        assert text[span.start : span.end].startswith(field.name) or isinstance(path[-1], int)
        parsed = getattr(SCHEMA, field.containing_type.name, None)
        if parsed is None:
            continue  # a message inside of another one has no name of its own there
        alone = parsed()
        text_format.Parse(f"{field.name}: {text[span.value : span.end]}", alone)
        read = getattr(alone, field.name)
        assert (read[0] if isinstance(path[-1], int) else read) == value


@settings(max_examples=40, deadline=None)
@given(message=messages())
def test_map_entries_are_found_by_their_keys(message: Any) -> None:
    text = text_format.MessageToString(message, as_utf8=True)
    fields = fields_of(text)
    for key, value in message.parameters.items():
        if f'"{key}"' not in text:
            continue  # spelled otherwise there
        span = fields.spans[("parameters", key)]
        read = SCHEMA.ModelConfig()
        text_format.Parse(text[span.start : span.end], read)
        assert dict(read.parameters) == {key: value}


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES) | TEXTS))
def test_any_text_at_all_is_read_to_its_end(pieces: list[str]) -> None:
    text = "".join(pieces)
    for span in fields_of(text).spans.values():
        assert 0 <= span.start <= span.value <= span.end <= len(text)


@settings(max_examples=40, deadline=None)
@given(message=messages())
def test_tokens_lose_nothing_but_white_space(message: Any) -> None:
    text = text_format.MessageToString(message)
    covered = set()
    for token in tokenise(text):
        assert text[token.start : token.end] == token.text
        covered |= set(range(token.start, token.end))
    assert not [text[at] for at in set(range(len(text))) - covered if not text[at].isspace()]


TEXT = """\
# the reader
name: "m"
input [
  { name: 'A', data_type: TYPE_FP32 dims: [ -1, 3 ] },
  < name: "B" "C" dims: 7 dims: 8 >
]
output { name: "O" nonsense { deep: 1 } }
parameters: { key: "k" value: { string_value: "v" } };
"""


@pytest.mark.parametrize(
    ("path", "place", "value"),
    [
        (("name",), (2, 1), '"m"'),
        (("input", 0, "name"), (4, 5), "'A'"),
        (("input", 0, "dims", 1), (4, 49), "3"),
        (("input", 1, "name"), (5, 5), '"B" "C"'),
        (("input", 1, "dims", 1), (5, 27), "8"),
        (("parameters", "k", "value", "string_value"), (8, 33), '"v"'),
    ],
)
def test_a_field_is_found_where_it_stands(
    path: FieldPath, place: tuple[int, int], value: str
) -> None:
    fields = fields_of(TEXT)
    span = fields.spans[path]
    assert fields.position(span.start) == place
    assert TEXT[span.value : span.end] == value


def test_an_unknown_field_is_told_with_its_message_and_what_is_in_it_is_not() -> None:
    (unknown,) = fields_of(TEXT).unknown
    assert (unknown.name, unknown.message) == ("nonsense", "ModelOutput")
    assert "label_filename" in unknown.known


def test_a_path_that_is_not_there_leads_to_the_field_around_it() -> None:
    fields = fields_of(TEXT)
    assert fields.span(("input", 1, "data_type")) == fields.spans[("input", 1)]
    assert fields.span(("backend",)) is None
