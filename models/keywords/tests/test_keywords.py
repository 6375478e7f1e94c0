"""Test what applications rely on; the golden case in cases/ contains the exact answer."""

import pytest

from slipway.testing import InferenceError, Model


def test_spelling_does_not_matter(model: Model) -> None:
    answer = model({"TEXT": "Straße STRASSE strasse"})["KEYWORDS"][0]
    assert answer.tolist() == [b"strasse", b"", b"", b"", b""]


def test_bytes_that_are_no_text_are_refused(model: Model) -> None:
    with pytest.raises(InferenceError, match="not UTF-8"):
        model({"TEXT": b"caf\xe9"})
