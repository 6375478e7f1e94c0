"""The user's rows, of each kind of file, and what is wrong with some."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.formats.format import Array, Feature, Tensor
from slipway.formats.rows_arrays import to_arrays
from slipway.formats.rows_file import read

AGE, SEX = Feature("age", missing=True), Feature("sex", values=("male", "female"))
TABLE = (Tensor("table", "FP32", (2,), (AGE, Feature("fare"))),)
NAMED = (Tensor("age", "FP32", (1,), (AGE,)), Tensor("sex", "BYTES", (1,), (SEX,)))

type Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def go(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return go


def arrays(file: Path, inputs: tuple[Tensor, ...]) -> dict[str, Array]:
    return to_arrays(read(file), inputs)[0]


@pytest.mark.parametrize(
    "name, content",
    [
        ("rows.csv", "sex,age\nmale,22\nfemale,\n"),
        ("rows.json", '[{"age": 22, "sex": "male"}, {"sex": "female"}]'),
        ("rows.json", '{"age": [22, null], "sex": ["male", "female"]}'),
        ("rows.jsonl", '{"age": 22, "sex": "male"}\n\n{"age": null, "sex": "female"}\n'),
    ],
)
def test_named_columns_become_inputs(write: Write, name: str, content: str) -> None:
    found = arrays(write(name, content), NAMED)
    assert np.array_equal(found["age"], np.array([[22], [np.nan]], np.float32), equal_nan=True)
    assert found["sex"].tolist() == [["male"], ["female"]]


def test_columns_of_one_wide_input_are_put_in_its_order(write: Write) -> None:
    file = write("rows.csv", "fare,age,survived\n7.25,22,0\n71.5,NA,1\n")
    found, notes = to_arrays(read(file), TABLE)
    expected = np.array([[22, 7.25], [np.nan, 71.5]], np.float32)
    assert np.array_equal(found["table"], expected, equal_nan=True)
    assert notes == ("columns of rows.csv that are not used: survived",)


def test_arrays_of_numpy_are_taken_by_the_inputs_names(tmp_path: Path) -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.savez(tmp_path / "rows.npz", table=rows)
    np.save(tmp_path / "rows.npy", rows)
    for name in ("rows.npz", "rows.npy"):
        assert np.array_equal(arrays(tmp_path / name, TABLE)["table"], rows)


def test_lists_are_rows_of_the_only_input(write: Write) -> None:
    assert arrays(write("rows.json", "[[1, 2], [3, 4]]"), TABLE)["table"].tolist() == [
        [1, 2],
        [3, 4],
    ]


def test_one_object_is_one_row(write: Write) -> None:
    found = arrays(write("rows.json", '{"age": 22, "sex": "male"}'), NAMED)
    assert {name: array.tolist() for name, array in found.items()} == {
        "age": [[22.0]],
        "sex": [["male"]],
    }


def test_whole_numbers_and_truth_are_read_from_text(write: Write) -> None:
    inputs = (Tensor("id", "INT64", (1,)), Tensor("new", "BOOL", (1,)))
    found = arrays(write("rows.csv", "id,new\n7,true\n8,False\n"), inputs)
    assert found["id"].tolist() == [[7], [8]] and found["new"].tolist() == [[True], [False]]


@pytest.mark.parametrize(
    "name, content, what",
    [
        ("rows.csv", "sex,age\nmale,old\n", "column 'age' is FP32: could not convert"),
        ("rows.csv", "sex\nmale\n", "no column 'age'"),
        ("rows.csv", "sex,age\nmale\n", "line 2 has 1 values, the first 2"),
        ("rows.csv", "", "no rows"),
        ("rows.csv", "sex,age\n", "no rows"),
        ("rows.json", "[", "rows cannot be read"),
        ("rows.json", "7", "rows cannot be read"),
        (
            "rows.json",
            '{"age": [1, 2], "sex": ["male"]}',
            "different numbers of rows: age 2, sex 1",
        ),
        ("rows.jsonl", "{}\n{", "rows cannot be read"),
        ("rows.npz", b"PK\x03\x04", "rows cannot be read"),
        ("rows.parquet", b"PAR1", "rows are read from .csv"),
    ],
)
def test_a_file_that_has_no_such_rows_is_refused(
    write: Write, name: str, content: str | bytes, what: str
) -> None:
    file = write(name, content)
    with pytest.raises(SlipwayError, match=what) as raised:
        arrays(file, NAMED)
    assert (raised.value.where or "").startswith(str(file)) and raised.value.fix


def test_the_row_of_a_wrong_value_is_named(write: Write) -> None:
    file = write("rows.csv", "sex,age\nmale,1\nmale,2\nmale,old\n")
    with pytest.raises(SlipwayError) as raised:
        arrays(file, NAMED)
    assert raised.value.where == f"{file}: row 3, column age"


def test_a_half_is_no_whole_number(write: Write) -> None:
    with pytest.raises(SlipwayError, match="column 'id' is INT64: not whole numbers"):
        arrays(write("rows.json", json.dumps([{"id": 1.5}])), (Tensor("id", "INT64", (1,)),))


def test_a_row_of_another_shape_is_refused(write: Write) -> None:
    with pytest.raises(SlipwayError, match=r"input 'table' of one row is \[2\], not \[3\]"):
        arrays(write("rows.json", "[[1, 2, 3]]"), TABLE)


def test_a_pickle_in_an_array_is_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.array([{"age": 1}]), allow_pickle=True)
    with pytest.raises(SlipwayError, match="rows cannot be read: Object arrays"):
        read(tmp_path / "rows.npy")
