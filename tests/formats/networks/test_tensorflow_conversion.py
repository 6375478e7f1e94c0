"""Keras and SavedModels through their own environment: served equal to TensorFlow, or refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slipway.errors import SlipwayError
from slipway.formats.conversion import Conversion

type Run = Callable[..., Conversion]


@pytest.mark.parametrize("name", ["picture.keras", "picture.h5"])
def test_a_picture_is_classified_as_keras_does(run: Run, name: str) -> None:
    # its Normalization becomes an input in Keras's own export, its RandomFlip stays on
    conversion = run(name)
    converted = conversion.converted
    assert [(x.name, x.dims) for x in converted.inputs] == [("image", (6, 6, 1))]
    assert [(x.name, x.dims) for x in converted.outputs] == [("Digit", (3,))]
    assert conversion.difference is not None and conversion.difference < 1e-6


def test_outputs_of_a_dictionary_keep_their_keys(run: Run) -> None:
    conversion = run("attention.keras")
    converted = conversion.converted
    assert [x.name for x in converted.inputs] == ["query", "value"]
    assert {x.name: x.dims for x in converted.outputs} == {"alpha": (1,), "zeta": (2,)}
    assert conversion.difference is not None and conversion.difference < 1e-6


def test_a_model_of_keras_2_is_served(run: Run) -> None:
    conversion = run("keras_2.h5")
    assert [x.name for x in conversion.converted.outputs] == ["kind"]
    assert conversion.difference is not None and conversion.difference < 1e-6


def test_a_class_that_is_not_of_keras_is_asked_for(run: Run) -> None:
    with pytest.raises(SlipwayError, match="it needs Twice, which is not Keras's") as error:
        run("custom.keras")
    assert error.value.fix and "--code FILE" in error.value.fix


def test_a_class_of_the_users_code_is_served(run: Run) -> None:
    conversion = run("custom.keras", code="twice.py")
    assert conversion.difference is not None and conversion.difference < 1e-6


def test_a_signature_keeps_the_case_of_its_names(run: Run) -> None:
    conversion = run("saved", signature="classify")
    converted = conversion.converted
    assert {x.name: x.dims for x in converted.inputs} == {"IMAGE": (4,), "Age": (1,)}
    assert {x.name: x.dims for x in converted.outputs} == {"Scores": (3,), "Total": (1,)}
    assert "signatures left out: by_chance, python, texts" in converted.notes
    assert conversion.difference is not None and conversion.difference < 1e-6


@pytest.mark.parametrize(
    ("signature", "what"),
    [
        ("", "it has 4 signatures, and none is called serving_default"),
        ("texts", "a table of texts stays in the graph"),
        ("python", "calls Python code, which is not in the saved model"),
        ("by_chance", "it draws random numbers"),
    ],
)
def test_a_signature_that_cannot_be_served_is_refused(run: Run, signature: str, what: str) -> None:
    settings = {"signature": signature} if signature else {}
    with pytest.raises(SlipwayError) as error:
        run("saved", **settings)
    assert what in str(error.value)
