"""Test how golden cases are read, compared and updated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slipway.errors import SlipwayError
from slipway.testing import golden


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Create an empty case folder."""
    folder = tmp_path / "cases" / "greeting"
    folder.mkdir(parents=True)
    return folder


def inputs_of(case: Path, content: Any) -> dict[str, Any]:
    """Return the inputs of a case with this input.json."""
    (case / "input.json").write_text(json.dumps(content), encoding="utf-8")
    return golden.inputs(case)


def expect(case: Path, content: Any) -> None:
    """Write expected.json."""
    (case / "expected.json").write_text(json.dumps(content), encoding="utf-8")


def test_files_in_the_case_folder_are_read_as_bytes(case: Path) -> None:
    (case / "photo.jpg").write_bytes(b"\xff\xd8")
    read = inputs_of(case, {"inputs": {"IMAGE": [{"file": "photo.jpg"}, "text"], "N": [1, 2]}})
    assert read == {"IMAGE": [b"\xff\xd8", "text"], "N": [1, 2]}


def test_the_requests_own_parameters_are_an_object(case: Path) -> None:
    (case / "input.json").write_text('{"inputs": {}, "parameters": {"sequence_id": 7}}')
    assert golden.parameters(case) == {"sequence_id": 7}
    (case / "input.json").write_text('{"inputs": {}, "parameters": [7]}')
    with pytest.raises(SlipwayError, match='"parameters" is not an object'):
        golden.parameters(case)


def test_null_in_a_tensor_is_nan_or_refused(case: Path) -> None:
    tensor = {"name": "X", "shape": [2], "datatype": "FP32", "data": [1, None]}
    assert np.isnan(inputs_of(case, {"inputs": [tensor]})["X"][1])
    for datatype in ("BOOL", "BYTES", "INT32"):
        with pytest.raises(SlipwayError, match="input.json: input 'X' is .* no value for null"):
            inputs_of(case, {"inputs": [tensor | {"datatype": datatype}]})


def test_tensors_of_kserve_v2_are_read(case: Path) -> None:
    tensors = [
        {"name": "X", "shape": [2, 2], "datatype": "FP16", "data": [[1, 2], [3, 4]]},
        {"name": "T", "shape": [1], "datatype": "BYTES", "data": ["h\u00e9"]},
        {"name": "B", "shape": [1], "datatype": "BOOL", "data": [True]},
    ]
    read = inputs_of(case, {"inputs": tensors})
    assert read["X"].dtype == np.float16 and read["X"].shape == (2, 2)
    assert read["T"].tolist() == ["h\u00e9".encode()]
    assert read["B"].dtype == bool


def test_a_tensor_may_be_stored_in_a_numpy_file(case: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(case / "x.npy", values)
    entry = {"name": "X", "shape": [2, 3], "datatype": "FP32", "data": {"file": "x.npy"}}
    np.testing.assert_array_equal(inputs_of(case, {"inputs": [entry]})["X"], values)
    with pytest.raises(SlipwayError, match="its file contains float32"):
        inputs_of(case, {"inputs": [entry | {"datatype": "INT64"}]})


def test_a_numpy_file_that_contains_code_is_refused(case: Path) -> None:
    np.save(case / "x.npy", np.array([print], dtype=object), allow_pickle=True)
    entry = {"name": "X", "shape": [1], "datatype": "FP32", "data": {"file": "x.npy"}}
    with pytest.raises(SlipwayError, match="allow_pickle=False"):
        inputs_of(case, {"inputs": [entry]})


def test_a_large_answer_is_stored_in_a_file_of_its_own(case: Path) -> None:
    answer = {"large": np.arange(5000, dtype=np.float32), "small": np.arange(3)}
    golden.update(case, answer)
    assert len((case / "expected.json").read_text(encoding="utf-8")) < 300
    assert golden.differences(case, answer) == []
    other = answer | {"large": answer["large"] + 1}
    assert golden.differences(case, other)[0].startswith("large[0]: expected 0.0, got 1.0")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "link"])
def test_a_file_outside_the_cases_folder_is_refused(case: Path, name: str) -> None:
    (case.parent / "secret").write_text("s", encoding="utf-8")
    (case / "link").symlink_to(case.parent / "secret")
    with pytest.raises(SlipwayError, match="outside the case's folder"):
        inputs_of(case, {"inputs": {"IMAGE": [{"file": name}]}})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "input.json:1: not JSON"),
        ("[]", "not a JSON object"),
        ("{}", 'the key "inputs" is missing'),
        ('{"inputs": {"X": [{"path": "a"}]}}', "not a value"),
        ('{"inputs": {"X": [{"file": "missing.jpg"}]}}', "cannot be read"),
        ('{"inputs": [{"name": "X"}]}', "not a KServe v2 tensor"),
        (
            '{"inputs": [{"name": "X", "shape": [3], "datatype": "FP32", "data": [1]}]}',
            "not a KServe v2 tensor",
        ),
        (
            '{"inputs": [{"name": "X", "shape": [1], "datatype": "FLOAT", "data": [1]}]}',
            "no type for FLOAT",
        ),
    ],
)
def test_a_malformed_input_is_reported_with_its_location(
    case: Path, content: str, expected: str
) -> None:
    (case / "input.json").write_text(content, encoding="utf-8")
    with pytest.raises(SlipwayError) as caught:
        golden.inputs(case)
    assert expected in str(caught.value)
    assert caught.value.fix


def test_a_difference_names_output_index_both_values_and_the_tolerance(case: Path) -> None:
    expect(
        case,
        {
            "outputs": {
                "SCORE": {"shape": [2, 1], "datatype": "FP32", "data": [0.5, 0.7], "atol": 0.01},
                "LABEL": {"shape": [2, 1], "datatype": "BYTES", "data": ["cat", "dog"]},
            }
        },
    )
    got = {
        "SCORE": np.array([[0.505], [0.9]], np.float32),
        "LABEL": np.array([[b"cat"], [b"cow"]], dtype=object),
    }
    assert golden.differences(case, got) == [
        "LABEL[1, 0]: expected b'dog', got b'cow'",
        "SCORE[1, 0]: expected 0.7, got 0.9 (atol 0.01, rtol 0.0001)",
    ]


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ({}, "output 'N' is missing"),
        ({"N": np.array([1, 2]), "M": np.array([1])}, "output 'M' is new"),
        ({"N": np.array([1, 2], np.int32)}, "N: expected INT64 [2], got INT32 [2]"),
        ({"N": np.array([[1, 2]])}, "N: expected INT64 [2], got INT64 [1, 2]"),
        ({"N": np.array([1, 3])}, "N[1]: expected 2, got 3"),
        ("out of range", "expected outputs, got the error: out of range"),
    ],
)
def test_integers_types_and_shapes_are_exact(case: Path, got: Any, expected: str) -> None:
    expect(case, {"outputs": {"N": {"shape": [2], "datatype": "INT64", "data": [1, 2]}}})
    assert golden.differences(case, got) == [expected]


def test_an_expected_error_is_a_part_of_the_message(case: Path) -> None:
    expect(case, {"error": "truncated"})
    assert golden.differences(case, "the file is truncated") == []
    assert golden.differences(case, "no such model") == ["expected 'truncated' in: no such model"]
    assert golden.differences(case, {"N": np.array([1])})


def test_a_case_without_an_expectation_says_how_to_write_it(case: Path) -> None:
    with pytest.raises(SlipwayError) as caught:
        golden.differences(case, {})
    assert caught.value.fix is not None and "--update-golden" in caught.value.fix


def test_updating_keeps_tolerances_and_says_what_changed(case: Path) -> None:
    old = {"shape": [1], "datatype": "FP32", "data": [0.5], "atol": 0.1, "rtol": 0.0}
    expect(case, {"outputs": {"S": old, "GONE": {"shape": [1], "datatype": "BOOL", "data": [1]}}})
    got = {"S": np.array([0.9], np.float32)}
    assert golden.update(case, got) == [
        "output 'GONE' is missing",
        "S[0]: expected 0.5, got 0.9 (atol 0.1, rtol 0)",
    ]
    updated = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    assert updated == {"outputs": {"S": old | {"data": [0.9]}}}


def test_updating_does_not_rewrite_a_file_that_agrees(case: Path) -> None:
    expect(case, {"outputs": {"S": {"shape": [1], "datatype": "FP32", "data": [0.5], "atol": 0.1}}})
    before = (case / "expected.json").read_bytes()
    assert golden.update(case, {"S": np.array([0.55], np.float32)}) == []
    assert (case / "expected.json").read_bytes() == before
    assert [path.name for path in case.iterdir()] == ["expected.json"]


def test_an_error_becomes_the_expectation_too(case: Path) -> None:
    assert golden.update(case, "refused") == ["expected.json is new"]
    assert golden.differences(case, "refused") == []


KINDS = st.sampled_from(["?", "u1", "u8", "i1", "i8", "f2", "f4", "f8"])
TEXTS = st.one_of(st.binary(max_size=6), st.text(max_size=4).map(str.encode))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    array=st.one_of(
        hnp.arrays(KINDS, hnp.array_shapes(max_dims=3, max_side=3)),
        hnp.arrays(object, hnp.array_shapes(max_dims=2, max_side=3), elements=TEXTS),
    )
)
def test_whatever_is_written_reads_back_equal(case: Path, array: Any) -> None:
    (case / "expected.json").unlink(missing_ok=True)
    golden.update(case, {"X": array})
    entry = json.loads((case / "expected.json").read_text(encoding="utf-8"))["outputs"]["X"]
    exact = {"outputs": {"X": entry | {"atol": 0, "rtol": 0}}}
    expect(case, exact)
    assert golden.differences(case, {"X": array}) == []
