"""Outputs as JSON, tables and files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from slipway.client import format
from slipway.errors import SlipwayError

OUTPUTS = {
    "SCORE": np.array([[0.1], [np.nan]], np.float32),
    "LABEL": np.array([["h\u00e9".encode()], [b"\xff\xfe"]], dtype=object),
    "WIDE": np.arange(20).reshape(2, 10),
}


def test_json_has_base64_for_bytes_that_are_not_text_and_null_for_nan() -> None:
    result = json.loads(json.dumps(format.outputs_as_json(OUTPUTS), allow_nan=False))
    assert result["SCORE"] == [[0.1], [None]]
    assert result["LABEL"] == [["h\u00e9"], [{"base64": "//4="}]]
    assert result["WIDE"][1][-1] == 19


def test_a_table_has_a_line_for_each_row_of_the_batch() -> None:
    assert format.table_rows(OUTPUTS, True) == [
        ["0.1", "h\u00e9", "[0, 1, 2, 3, 4, 5 … (10 elements)]"],
        ["nan", "2 bytes", "[10, 11, 12, 13, 14, 15 … (10 elements)]"],
    ]
    assert format.table_rows({"Y": np.array([1, 2])}, False) == [["[1, 2]"]]
    assert format.table_rows({"Y": np.array(True)}, False) == [["True"]]
    assert format.table_rows({}, True) == []


def test_each_output_is_a_file_that_numpy_reads_without_unpickling(tmp_path: Path) -> None:
    files = format.save_arrays(OUTPUTS | {"a/../b": np.array([1])}, tmp_path / "new")
    names = ["LABEL.npy", "SCORE.npy", "WIDE.npy", "a%2F..%2Fb.npy"]
    assert sorted(file.name for file in files) == names
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    for file, array in zip(files, OUTPUTS.values(), strict=False):  # one more was saved
        loaded = np.load(file, allow_pickle=False)
        np.testing.assert_array_equal(loaded.astype(array.dtype), array)


def test_strings_that_numpy_would_truncate_are_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    outputs = {"A": np.array([1]), "B": np.array([b"x\0"], dtype=object)}
    with pytest.raises(SlipwayError, match="use --json"):
        format.save_arrays(outputs, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(SlipwayError, match="cannot be written"):
        format.save_arrays({"A": np.array([1])}, tmp_path / "file")
