"""What ``slipway doctor`` says of this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from slipway.doctor import diagnose_numpy, diagnose_tensors
from slipway.server.source import SourceKind, find_server
from slipway.settings import Settings
from slipway.triton.numpy_support import TESTED_VERSIONS

SETTINGS = Settings(root=Path("/"))


@pytest.mark.parametrize(
    ("kind", "release", "serving", "state", "what"),
    [
        ("wheel", "24.10", "25.04", "ok", f"1, and 2 up to {TESTED_VERSIONS[-1]}: Slipway adapts"),
        ("wheel", "24.10", "24.10", "ok", "1 only: Triton 24.10 serves in production"),
        ("docker", "25.04", "25.04", "ok", "1 and 2"),
        ("docker", "24.10", "25.04", "note", "1 only: models with numpy 2 cannot be tested on"),
        ("path", "24.08", "25.04", "note", "1 only: models with numpy 2 cannot be tested on"),
    ],
)
def test_the_doctor_says_which_numpy_models_may_have(
    kind: SourceKind, release: str, serving: str, state: str, what: str
) -> None:
    server = replace(find_server(SETTINGS), kind=kind, release=release)
    diagnosis = diagnose_numpy(server, replace(SETTINGS, triton_release=serving))
    assert diagnosis.state == state and diagnosis.what.startswith(what)
    assert (diagnosis.fix is not None) == (state == "note")


def test_the_doctor_says_whether_configs_list_their_tensors() -> None:
    assert "auto-complete off" in diagnose_tensors(SETTINGS).what
    what = diagnose_tensors(replace(SETTINGS, explicit_tensors=False)).what
    assert "may leave out tensors" in what
