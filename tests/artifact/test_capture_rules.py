"""Packing takes the rules of ``capture.toml``, and refuses those that would redact nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.artifact.contents import read_contents
from slipway.artifact.diff import diff
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from tests.artifact.samples import packed


def test_rules_travel_in_the_manifest_and_a_difference_shows_them(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    before = read_contents(packed(tiny, environment).path)
    (tiny / "capture.toml").write_text('sample = 0.5\n[tensor.IN]\nkeep = "hash"\n')
    after = read_contents(packed(tiny, environment).path)
    assert before.manifest.capture is None
    assert after.manifest.capture is not None
    assert after.manifest.capture["tensor"] == {"IN": {"keep": "hash"}}
    changes = {change.name: change.after for change in diff(before, after)}
    assert changes["tensor IN"] == "hash" and changes["sample"] == "0.5"
    assert {change.part for change in diff(before, after)} == {"capture"}


def test_a_rule_of_a_tensor_that_the_model_lacks_stops_the_build(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    (tiny / "capture.toml").write_text('[tensor.MID]\nkeep = "nothing"\n')
    with pytest.raises(SlipwayError) as error:
        packed(tiny, environment)
    assert error.value.what == "the model has no tensor 'MID'"
    assert error.value.fix == "name one of IN, OUT"
    (tiny / "capture.toml").write_text('[tensor.IN]\nkeep = "nothing"\n')
    packed(tiny, environment)
