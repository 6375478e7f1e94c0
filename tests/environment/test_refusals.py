"""Folders with one mistake each: refused at once, before anything is fetched or installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.environment import build_environment
from slipway.errors import SlipwayError
from slipway.settings import Settings

FIXTURES = Path(__file__).with_name("fixtures")
REFUSALS = {
    "no-requirements": "there is no requirements.txt",
    "no-lock": "there is no lock",
    "stale-lock": "requirements.txt has changed since it was locked",
    "lock-from-elsewhere": "not locked by Slipway",
    "no-numpy": "an environment without numpy",
    "numpy-not-tested": "numpy 2.99.0: the local server, Triton 24.10, was tested with numpy 1",
    "option-in-requirements": "--extra-index-url http://127.0.0.1/simple: indexes are",
}


def test_every_folder_with_a_mistake_has_its_refusal() -> None:
    assert {folder.name for folder in FIXTURES.iterdir()} == set(REFUSALS)


@pytest.mark.parametrize("mistake", REFUSALS)
def test_a_mistake_is_refused_with_its_reason_place_and_fix(
    mistake: str, settings: Settings, slipway_cache: Path
) -> None:
    with pytest.raises(SlipwayError) as refused:
        build_environment(FIXTURES / mistake / "requirements.lock", settings)
    assert REFUSALS[mistake] in refused.value.what
    assert mistake in (refused.value.where or "")
    assert refused.value.fix
    assert not slipway_cache.exists()
