"""Test what applications rely on; the golden case in cases/ contains the exact answer."""

import pytest

from slipway.testing import InferenceError, Model


def test_twice_the_words_take_twice_as_long(model: Model) -> None:
    once, twice = model({"TEXT": ["one two three", "one two three " * 2]})["MINUTES"][:, 0]
    assert 0 < once == pytest.approx(twice / 2)


def test_bytes_that_are_no_text_are_refused(model: Model) -> None:
    with pytest.raises(InferenceError, match="not UTF-8"):
        model({"TEXT": b"caf\xe9"})
