"""JSON that is nested too deeply for the server's parser."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from slipway.triton.json_depth import DEEPEST, has_deep_json, is_too_deep
from slipway.triton.kserve import BINARY, encode


def depth(value: Any) -> int:
    """Count the levels of parsed JSON."""
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth, inner), default=0) if isinstance(value, (dict, list)) else 0


texts = st.text('[]{}\\"x\u00e9')
values = st.recursive(
    texts | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


@given(values, st.integers(0, DEEPEST + 3))
def test_levels_are_counted_as_a_parser_counts_them(value: Any, more: int) -> None:
    for _ in range(more):
        # brackets in strings are text
        value = ["]" * 200, value, "[" * 200]
    assert is_too_deep(json.dumps(value).encode()) == (depth(value) > DEEPEST)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":', b'"\\"[",[', b"[0,"])
def test_what_is_never_closed_is_as_deep(opening: bytes) -> None:
    assert not is_too_deep(opening * (DEEPEST // 2))
    assert is_too_deep(opening * (DEEPEST + 1))


def test_of_a_binary_request_the_header_alone_is_json() -> None:
    body, content_type = encode({"X": np.full(1000, ord("["), np.uint8)})
    assert not has_deep_json(body, content_type)
    assert not has_deep_json(b"[" * 1000, f"{BINARY}0")
    assert has_deep_json(b"[" * 1000, f"{BINARY}1000")


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", f"{BINARY} 0", f"{BINARY}-1", f"{BINARY}0x", BINARY.upper() + "0",
     f"{BINARY}{'9' * 5000}"],
)  # fmt: skip
def test_with_any_other_content_type_the_body_is_json(content_type: str) -> None:
    assert has_deep_json(b'{"inputs":' + b"[" * 150_000, content_type)
