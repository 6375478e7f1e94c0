"""StringLike: ``*`` is any number of characters, ``?`` is one, and nothing else is special."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from slipway.endpoint.policy import Policy

characters = st.text("aA*?.[]!\\^$|()+{}-\n \u00e9/_", max_size=8)


def like(pattern: str, text: str) -> bool:
    """The definition, a character at a time."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return like(pattern[1:], text) or (bool(text) and like(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and like(pattern[1:], text[1:])


@given(characters, characters)
@example("screen_*", "screen_1.tar.gz")
@example("[a]", "a")
@example("a", "A")
@settings(max_examples=2000, deadline=None)
def test_a_pattern_matches_as_it_is_defined(pattern: str, text: str) -> None:
    assert Policy([pattern]).allows(text) == like(pattern, text)


@given(st.lists(characters, max_size=4), characters)
@settings(max_examples=500, deadline=None)
def test_one_of_several_patterns_is_enough(patterns: list[str], text: str) -> None:
    assert Policy(patterns).allows(text) == any(like(pattern, text) for pattern in patterns)


def test_no_pattern_allows_nothing() -> None:
    assert not Policy([]).allows("a") and not Policy([]).allows("")


@pytest.mark.parametrize("pattern", ["*a" * 10 + "b", "*" * 1000 + "b", "?*" * 10 + "b"])
def test_a_pattern_of_many_stars_is_soon_decided(pattern: str) -> None:
    assert not Policy([pattern]).allows("a" * 1024)
