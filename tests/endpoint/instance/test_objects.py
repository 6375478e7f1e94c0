"""Which target models can be keys below the endpoint's prefix."""

from __future__ import annotations

from pathlib import PurePosixPath

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from slipway.endpoint.failure import Failure
from slipway.endpoint.instance import objects


@pytest.mark.parametrize("target", ["a", "a.tar.gz", "team/a_1.0.0-rc.h1+x.tar.gz", "x" * 1024])
def test_names_of_objects_are_taken_as_they_are(target: str) -> None:
    assert objects.check(target) == target


@pytest.mark.parametrize(
    "target",
    [None, "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".a", "a/.b", " a",
     "a\\b", "a\0b", "a\nb", "a\rb", "\u00e9", "\udcff", "x" * 1025, "..\\a", "a/..\\..\\b"],
)  # fmt: skip
def test_what_leads_elsewhere_is_refused(target: str | None) -> None:
    with pytest.raises(Failure) as caught:
        objects.check(target)
    assert (caught.value.status, caught.value.type) == (400, "ValidationError")


@pytest.mark.parametrize(
    "target", ["a b", "x$(id).tar.gz", "a;b", "a&b", "<a>", "`a`", "a|b", "~a", "a*"]
)
def test_what_a_shell_would_read_is_refused(target: str) -> None:
    with pytest.raises(Failure, match="other characters"):
        objects.check(target)


@given(st.text(st.one_of(st.sampled_from("./\\ ~%"), st.characters()), max_size=30))
@settings(max_examples=2000, deadline=None)
def test_what_is_taken_stays_below_the_prefix(target: str) -> None:
    try:
        taken = objects.check(target)
    except Failure:
        return
    path = PurePosixPath("prefix") / taken
    assert path.parts[0] == "prefix" and ".." not in path.parts and str(path) == f"prefix/{taken}"
    assert taken.isprintable() and taken.isascii()
