"""A bracket of a config that lacks its partner is named, not the line at which parsing ends."""

from __future__ import annotations

import pytest

from slipway.triton.brackets import without_partner

STEPS = """ensemble_scheduling {
  step {
    model_name: "first"

  step {
    model_name: "second"
  }
}
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('name: "a[" # }', ""),
        ("input [ { dims: [ 1 ] } ]", ""),
        ("input [ { dims: [ 1 ] }\noutput { }", "input "),
        ("input [ { dims: [ 1 } ]", "input [ { dims: "),
        ("input { dims: [ 1 ] } }", "input { dims: [ 1 ] } "),
        ("input { dims: 1 ] }", "input { dims: 1 "),
        (STEPS, "ensemble_scheduling {\n  step "),
    ],
)
def test_the_bracket_without_its_partner_is_found_behind(text: str, found: str) -> None:
    bracket = without_partner(text)
    assert (text[: bracket.start] if bracket else "") == found
