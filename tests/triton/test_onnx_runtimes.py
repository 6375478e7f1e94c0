"""The table of ONNX Runtimes agrees with the one that is installed here."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import onnxruntime
import pytest
from onnx import helper

from slipway.triton.image.onnx_runtimes import RUNTIMES, runtime_of
from tests.signature.graphs import save, tensor

[HERE] = [each for each in RUNTIMES if onnxruntime.__version__.startswith(f"{each.version}.")]


def opens(path: Path) -> bool:
    try:
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception:  # ONNX Runtime's exceptions have no common public root
        return False
    return True


@pytest.mark.parametrize("beyond", [0, 1])
def test_the_installed_runtime_takes_what_the_table_says_and_no_more(
    tmp_path: Path, beyond: int
) -> None:
    sides = [tensor("X", [1])], [tensor("Y", [1])]
    for ir_version, opset in ((HERE.ir_version + beyond, 17), (8, HERE.opset + beyond)):
        path = save(tmp_path / "m.onnx", *sides, ir_version=ir_version, opset=opset)
        assert opens(path) == (not beyond)
    opsets = [
        helper.make_opsetid("", 17),
        helper.make_opsetid("ai.onnx.ml", HERE.ml_opset + beyond),
    ]
    assert opens(save(tmp_path / "m.onnx", *sides, opsets=opsets)) == (not beyond)


def test_a_release_has_the_runtime_of_the_last_change_before_it() -> None:
    versions = {release: runtime_of(release) for release in ("23.01", "25.04", "25.12", "26.08")}
    assert [each.version for each in versions.values() if each] == ["1.13", "1.21", "1.23", "1.28"]


@pytest.mark.parametrize("release", ["22.12", "26.09", "30.01"])
def test_of_a_release_that_is_not_known_nothing_is_said(release: str) -> None:
    assert runtime_of(release) is None


def test_the_table_is_in_order_and_never_takes_less() -> None:
    for older, newer in pairwise(RUNTIMES):
        assert older.release < newer.release
        assert older.ir_version <= newer.ir_version
        assert older.opset <= newer.opset and older.ml_opset <= newer.ml_opset
