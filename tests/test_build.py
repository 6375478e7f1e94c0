"""Nothing is built of a model in which check finds an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway import build
from slipway.errors import SlipwayError
from tests.check import fixture_repositories as repositories


def test_a_mistake_is_told_with_its_rule_place_and_fix_before_anything_is_built(
    tmp_path: Path,
) -> None:
    folder = repositories.make("SW404_misspelled_input", tmp_path)
    with pytest.raises(SlipwayError, match="SW404 unknown-input") as refused:
        build.build(folder, repositories.load_settings(tmp_path), tmp_path / "dist")
    assert refused.value.where == f"{folder}/sound_pipeline/config.pbtxt:30:22"
    assert refused.value.fix
    assert not (tmp_path / "dist").exists()
