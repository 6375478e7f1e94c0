"""Inputs from a command line: JSON, files, arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.client import arguments, request
from slipway.endpoint.protocol import LARGEST_OF_ALL
from slipway.errors import SlipwayError
from slipway.model.interface import Interface, Tensor

TITANIC = Interface(
    64,
    {
        "fare": Tensor("FP32", (1,)),
        "Sex": Tensor("BYTES", (1,)),
        "TAGS": Tensor("FP32", (-1,), optional=True),
    },
    {},
)
PHOTO = Interface(
    8,
    {
        "IMAGE": Tensor("BYTES", (1,)),
        "MASK": Tensor("BYTES", (1,), optional=True),
        "SCALE": Tensor("FP32", (1,), optional=True),
    },
    {},
)
PASSENGER = Interface(
    64,
    {
        "age": Tensor("FP32", (1,), optional=True),
        "fare_paid": Tensor("FP32", (1,)),
        "sex": Tensor("BYTES", (1,), optional=True),
        "siblings": Tensor("INT64", (1,), optional=True),
    },
    {},
)
SINGLE = Interface(0, {"IMAGE": Tensor("BYTES", (-1,))}, {})


def fitted(interface: Interface, **options: Any) -> dict[str, Any]:
    """Return the tensors of the arguments of a command line, as lists."""
    values = arguments.parse_inputs(interface, name="m", **options)
    return {k: v.tolist() for k, v in request.fit(interface, values, name="m").items()}


def refusal(interface: Interface, **options: Any) -> str:
    with pytest.raises(SlipwayError) as caught:
        fitted(interface, **options)
    assert caught.value.fix
    return str(caught.value)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.jpg", "x=1.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"fare": 7, "sex": "male"}, {"fare": [[7.0]], "Sex": [[b"male"]]}),
        (
            {"FARE": [7, 8], "SEX": ["male", "female"]},
            {"fare": [[7.0], [8.0]], "Sex": [[b"male"], [b"female"]]},
        ),
        (
            [{"fare": 7, "sex": "male"}, {"fare": 8, "sex": "female"}],
            {"fare": [[7.0], [8.0]], "Sex": [[b"male"], [b"female"]]},
        ),
        (
            [{"fare": 7, "sex": "m", "tags": [1, 2]}],
            {"fare": [[7.0]], "Sex": [[b"m"]], "TAGS": [[1.0, 2.0]]},
        ),
        ({"fare": 7, "sex": "m", "tags": None}, {"fare": [[7.0]], "Sex": [[b"m"]]}),
    ],
)
def test_json_is_a_row_columns_or_a_list_of_rows(content: Any, expected: Any) -> None:
    assert fitted(TITANIC, text=json.dumps(content)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{fare: 7}", "--data is not JSON"),
        ("[" * 100_000, "--data is not JSON"),
        ("[1, 2]", "neither an object nor a list of objects"),
        ("7", "neither an object nor a list of objects"),
        ("[]", "no rows"),
        ('{"fair": 7}', "did you mean fare?"),
        ('{"temperature": 7}', "its inputs: fare FP32 [batch, 1]"),
        ('{"fare": 7, "FARE": 8}', "'fare' is set twice"),
        ('{"fare": 7}', "m needs 'Sex'"),
        ('[{"fare": 7, "sex": "m"}, {"fare": 8}]', "row 2 has other fields than the first: Sex"),
        (
            '[{"fare": 7, "sex": "m", "tags": [1]}, {"fare": 7, "sex": "m", "tags": [1, 2]}]',
            "'TAGS': row 2 has the shape [2], the first [1]",
        ),
        ('[{"fare": "x", "sex": "m"}]', "'fare' is FP32: numbers, not 'x'"),
        ('{"fare": 7, "sex": "m", "tags": [1, 2]}', "can mean (1, 2) or (2, 1)"),
    ],
)
def test_json_that_does_not_fit_is_refused_with_the_reason(text: str, message: str) -> None:
    assert message in refusal(TITANIC, text=text)


@pytest.mark.parametrize(
    "text",
    [
        '[{"fare": 7, "sex": "m"}, {"fare": null, "sex": "f"}]',
        '{"fare": [7, null], "sex": ["m", "f"]}',
    ],
)
def test_null_in_a_row_is_nan_for_floating_point_numbers(text: str) -> None:
    fare = arguments.parse_inputs(TITANIC, name="m", text=text)
    sent = request.fit(TITANIC, fare, name="m")["fare"]
    assert sent.dtype == np.float32 and sent[0, 0] == 7 and np.isnan(sent[1, 0])


def test_null_in_the_only_row_is_nan() -> None:
    assert np.isnan(fitted(TITANIC, text='{"fare": null, "sex": "m"}')["fare"]).all()


def test_null_leaves_an_optional_input_out_only_if_no_row_has_it() -> None:
    rows: list[dict[str, Any]] = [{"fare": 7, "sex": "m", "tags": None}, {"fare": 8, "sex": "f"}]
    assert "TAGS" not in fitted(TITANIC, text=json.dumps(rows))
    rows = [{"fare": 7, "sex": "m", "tags": [n]} for n in (1, None)]
    sent = arguments.parse_inputs(TITANIC, name="m", text=json.dumps(rows))["TAGS"]
    assert sent[0, 0] == 1 and np.isnan(sent[1, 0])


def test_a_row_may_leave_out_a_column_that_others_have() -> None:
    rows = [{"fare paid": 7, "sex": "male"}, {"Fare-Paid": 8, "age": 30}]
    sent = arguments.parse_inputs(PASSENGER, name="m", text=json.dumps(rows))
    assert set(sent) == {"age", "fare_paid", "sex"}
    assert np.isnan(sent["age"][0, 0]) and sent["age"][1, 0] == 30
    assert sent["sex"].tolist() == [[b"male"], [b""]]


def test_a_request_of_nothing_is_refused_where_all_is_optional() -> None:
    interface = Interface(8, {"age": Tensor("FP32", (1,), optional=True)}, {})
    for text in ("{}", '{"age": null}', "[{}, {}]"):
        assert "m needs one input at least" in refusal(interface, text=text)


def test_an_integer_that_only_some_rows_have_is_refused() -> None:
    text = '[{"fare paid": 7, "siblings": 1}, {"fare paid": 8}]'
    assert "'siblings' is INT64, which has no value for null" in refusal(PASSENGER, text=text)
    assert fitted(PASSENGER, text='[{"fare paid": 7}, {"fare paid": 8}]') == {
        "fare_paid": [[7.0], [8.0]]
    }


@pytest.mark.parametrize("datatype", ["INT64", "UINT8", "BOOL", "BYTES"])
@pytest.mark.parametrize("value", ["null", "[null]", "[1, null]"])
def test_null_is_refused_where_there_is_no_nan(datatype: str, value: str) -> None:
    interface = Interface(8, {"X": Tensor(datatype, (-1,))}, {})
    for text in (f'{{"X": {value}}}', f'[{{"X": {value}}}]'):
        assert f"'X' is {datatype}, which has no value for null" in refusal(interface, text=text)


def test_the_value_that_does_not_fit_is_named_and_not_its_neighbour() -> None:
    assert "numbers, not 'x'" in refusal(TITANIC, text='{"fare": [7, "x"], "sex": ["m", "f"]}')


def test_a_name_that_matches_two_inputs_in_another_case_is_refused() -> None:
    both = Interface(0, {"a": Tensor("FP32", (1,)), "A": Tensor("FP32", (1,))}, {})
    assert fitted(both, text='{"a": 1, "A": 2}') == {"a": [1.0], "A": [2.0]}
    cased = Interface(0, {"Ab": Tensor("FP32", (1,)), "aB": Tensor("FP32", (1,))}, {})
    assert "'ab' can mean Ab or aB" in refusal(cased, text='{"ab": 1}')


def test_without_batches_one_row_is_a_request_and_two_are_refused() -> None:
    unbatched = Interface(0, {"X": Tensor("FP32", (1,))}, {})
    assert fitted(unbatched, text='[{"x": 1}]') == {"X": [1.0]}
    assert "does not accept batches" in refusal(unbatched, text='[{"x": 1}, {"x": 2}]')


def test_files_are_rows_of_the_only_possible_input(here: Path) -> None:
    assert fitted(PHOTO, files=["a.jpg"]) == {"IMAGE": [[b"a.jpg"]]}
    assert fitted(PHOTO, files=["a.jpg", "b.jpg"]) == {"IMAGE": [[b"a.jpg"], [b"b.jpg"]]}
    assert fitted(SINGLE, files=["a.jpg", "b.jpg"]) == {"IMAGE": [b"a.jpg", b"b.jpg"]}


def test_files_of_several_inputs_are_named(here: Path) -> None:
    expected = {"IMAGE": [[b"a.jpg"]], "MASK": [[b"b.jpg"]]}
    assert fitted(PHOTO, files=["a.jpg", "mask=b.jpg"]) == expected
    both = Interface(0, {"A": Tensor("BYTES", (1,)), "B": Tensor("BYTES", (1,))}, {})
    message = refusal(both, files=["a.jpg"])
    assert "which input is a.jpg?" in message and "A BYTES [1], B BYTES [1]" in message


def test_a_file_may_have_an_equals_sign_in_its_name(here: Path) -> None:
    assert fitted(PHOTO, files=["x=1.jpg"]) == {"IMAGE": [[b"x=1.jpg"]]}
    assert fitted(PHOTO, files=["image=x=1.jpg"]) == {"IMAGE": [[b"x=1.jpg"]]}


def test_files_json_and_arrays_are_combined_but_an_input_is_set_only_once(here: Path) -> None:
    np.save(here / "s.npy", np.array([[0.5]], np.float32))
    expected = {"IMAGE": [[b"a.jpg"]], "SCALE": [[0.5]]}
    assert fitted(PHOTO, files=["a.jpg"], text='{"scale": 0.5}') == expected
    assert fitted(PHOTO, files=["a.jpg"], arrays=["scale=s.npy"]) == expected
    message = refusal(PHOTO, files=["a.jpg"], text='{"image": "x"}')
    assert "'IMAGE' is set twice" in message


def test_files_that_cannot_be_used_are_refused_with_the_reason(here: Path) -> None:
    assert "missing.jpg: cannot be read" in refusal(PHOTO, files=["missing.jpg"])
    assert "--npy SCALE=FILE.npy" in refusal(PHOTO, files=["scale=a.jpg"])
    with Path("large.jpg").open("wb") as file:
        file.truncate(LARGEST_OF_ALL + 1)
    assert "large.jpg: larger than the limit of a request" in refusal(PHOTO, files=["large.jpg"])
    assert "a.jpg: not a readable numpy array" in refusal(PHOTO, arrays=["image=a.jpg"])
    assert "missing.npy: not a readable" in refusal(PHOTO, arrays=["image=missing.npy"])
    np.savez(here / "two.npz", a=np.zeros(1), b=np.zeros(1))
    assert "several arrays" in refusal(PHOTO, arrays=["image=two.npz"])


def test_an_array_that_would_have_to_be_unpickled_is_refused(here: Path) -> None:
    np.save(here / "code.npy", np.array([print], dtype=object), allow_pickle=True)
    assert "allow_pickle=False" in refusal(SINGLE, arrays=["code.npy"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["fare", "SEX", "tags", "other", ""]), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_json_fits_or_is_refused_with_a_fix(content: Any) -> None:
    try:
        fitted(TITANIC, text=json.dumps(content))
    except SlipwayError as error:
        assert error.fix
