"""Checkpoints of treelite are served as they are, or as a graph; other versions are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.formats.recognise import recognise
from tests.formats.forests.conftest import Run

CHECKPOINT = Path(__file__).parents[1] / "fixtures" / "written" / "fil_checkpoint/checkpoint.tl"


def test_fil_gets_the_file_as_it_is(run: Run) -> None:
    conversion = run(CHECKPOINT)
    assert conversion.options.backend == "fil"
    assert (conversion.folder / "checkpoint.tl").read_bytes() == CHECKPOINT.read_bytes()


def test_a_graph_answers_as_treelite(run: Run) -> None:
    conversion = run(CHECKPOINT, "onnxruntime")
    assert conversion.difference is not None and conversion.difference < 5e-6


@pytest.mark.parametrize("major", [2, 5])
def test_a_checkpoint_of_another_major_version_is_refused(tmp_path: Path, major: int) -> None:
    file = tmp_path / "checkpoint.tl"
    file.write_bytes(bytes([major]) + CHECKPOINT.read_bytes()[1:])
    with pytest.raises(SlipwayError, match=rf"treelite {major}\..*known is version 4"):
        recognise(file)


def test_a_cut_checkpoint_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.tl"
    data = CHECKPOINT.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(SlipwayError):
        run(file)
