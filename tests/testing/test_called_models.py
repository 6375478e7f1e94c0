"""Which artifacts hold models that code calls by names with a release version."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.testing.called_models import are_named_by_release

ENSEMBLE = 'platform: "ensemble"\nensemble_scheduling { step { model_name: "step" } }\n'
MODEL = 'backend: "python"\n'


@pytest.mark.parametrize(
    ("configs", "named"),
    [
        ({"all": ENSEMBLE, "step": MODEL}, False),
        ({"step": MODEL}, False),
        ({"all": ENSEMBLE, "step": MODEL, "called": MODEL}, False),
        ({"all": ENSEMBLE, "step": MODEL, "called_1_2": MODEL}, False),
        ({"all": ENSEMBLE, "step": MODEL, "called_1_2_3": MODEL}, True),
        ({"all": ENSEMBLE, "step": MODEL, "called-1.2.30": MODEL}, True),
        ({"all": ENSEMBLE, "step": MODEL, "called_1_2_3": MODEL, "other": MODEL}, False),
    ],
)
def test_models_besides_the_steps_are_called_by_code(
    configs: dict[str, str], named: bool, tmp_path: Path
) -> None:
    for name, text in configs.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.pbtxt").write_text(text)
    assert are_named_by_release(tmp_path) is named
