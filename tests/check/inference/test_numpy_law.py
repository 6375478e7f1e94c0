"""What the rules say of an expression is what numpy answers, or they say that they do not know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.check.inference.numpy import tables
from slipway.check.inference.values import Array
from tests.check.inference import numpy_law, numpy_tables


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(seed=st.integers(0, 2**32), knows_version=st.booleans())
def test_inferred_types_and_ranks_are_numpys_own(seed: int, knows_version: bool) -> None:
    law = numpy_law.results(seed, 25, numpy_law.NUMPY_2 if knows_version else None)
    assert law.wrong == []


def test_the_rules_determine_most_expressions() -> None:
    counts = numpy_law.results(7, 2000).counts
    assert counts["types known"] > 0.8 * counts["arrays"]
    assert counts["ranks known"] > 0.7 * counts["arrays"]


@pytest.mark.parametrize("binary", [False, True])
def test_the_tables_are_what_this_numpy_answers(binary: bool) -> None:
    measured = numpy_tables.measure()
    for names, first, second in tables.BINARY if binary else tables.UNARY:
        table = (second or first) if numpy_law.NUMPY_2 else first
        for name in names.split():
            differing = [
                (ours, theirs)
                for ours, theirs in zip(table, measured[name], strict=True)
                if ours not in (theirs, numpy_tables.DIFFERS)
            ]
            assert differing == [], name


def test_the_law_finds_a_wrong_rule() -> None:
    """A law that accepts everything would hold as well."""
    said = Array("float32", 1)
    assert numpy_law.agrees(said, np.zeros(1, np.float32))
    assert not numpy_law.agrees(said, np.zeros(1))
    assert not numpy_law.agrees(said, np.zeros((1, 1), np.float32))
    assert not numpy_law.agrees(said, [0.0])
