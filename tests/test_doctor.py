"""What ``slipway doctor`` says of this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from slipway.doctor.conversions import diagnose_conversions
from slipway.doctor.servers import diagnose_numpy, diagnose_stand_ins, diagnose_tensors
from slipway.errors import SlipwayError
from slipway.formats.readiness import cached_environments, find_isolation
from slipway.formats.sandbox.run import Isolation
from slipway.server.source import SourceKind, find_server
from slipway.settings import Settings
from slipway.triton.image.numpy_support import TESTED_VERSIONS

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


def test_the_doctor_names_what_serves_in_place_of_native_backends(slipway_cache: Path) -> None:
    server = replace(find_server(SETTINGS), kind="wheel", release="24.10")
    *rows, gpu = diagnose_stand_ins(server, replace(SETTINGS, triton_release="25.04"))
    assert [row.what for row in rows] == [
        "fil: Slipway's own, treelite 4.4.1; installed when a model first needs it",
        "openvino: Slipway's own, openvino 2025.0.0; installed when a model first needs it",
        "pytorch: Slipway's own, torch 2.14.1; installed when a model first needs it",
    ]
    assert gpu.state == "note" and gpu.what.startswith("tensorrt, dali: none")
    assert list(diagnose_stand_ins(replace(server, kind="docker"), SETTINGS)) == []


def test_the_doctor_says_whether_configs_list_their_tensors() -> None:
    assert "auto-complete off" in diagnose_tensors(SETTINGS).what
    what = diagnose_tensors(replace(SETTINGS, explicit_tensors=False)).what
    assert "may leave out tensors" in what


def test_the_doctor_says_what_isolates_conversions_here(slipway_cache: Path) -> None:
    isolation, environments = diagnose_conversions(find_isolation, *cached_environments())
    assert (isolation.state == "ok") == (isolation.fix is None)
    assert isolation.what.startswith("network: ") and "; files: " in isolation.what
    assert environments.what.startswith("environments in the cache: none; at their first use: ")
    assert "xgboost" in environments.what and "onnxruntime-" not in environments.what


def test_the_doctor_notes_what_a_conversion_is_not_isolated_from() -> None:
    isolation = Isolation("a filter of system calls", "none: no Landlock", "none: no namespaces")
    note, _ = diagnose_conversions(lambda: isolation, ("onnx",), ())
    assert note.state == "note" and "none: no Landlock" in note.what and note.fix


def test_the_doctor_says_that_nothing_can_be_converted() -> None:
    def fail() -> Isolation:
        raise SlipwayError("isolating a program: the process could not be isolated")

    missing, _ = diagnose_conversions(fail, (), ("onnx",))
    assert missing.state == "missing" and missing.fix
