"""PMML documents answer as pypmml does row by row, with their own verification and gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.formats.convert import convert
from slipway.formats.format import Options
from slipway.formats.recognise import recognise

DOCUMENT = Path(__file__).parents[1] / "fixtures" / "tables" / "weather.pmml"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def changed(folder: Path, old: str, new: str) -> Path:
    assert old in TEXT
    file = folder / "changed.pmml"
    file.write_text(TEXT.replace(old, new), encoding="utf-8")
    return file


def test_a_document_answers_as_its_evaluator_and_as_it_says_itself(tmp_path: Path) -> None:
    conversion = convert(DOCUMENT, tmp_path / "out", Options("", "25.04"))
    assert conversion.options.backend == "python" and conversion.difference == 0
    notes = " ".join(conversion.converted.notes)
    assert "2 verification rows are answered as it says" in notes
    assert [(t.name, t.datatype) for t in conversion.converted.inputs] == [
        *(("degrees", "FP64"), ("wind", "FP64"), ("sky", "BYTES"))
    ]
    # of rows with gaps too, which take the default child
    assert np.isnan(conversion.rows["wind"]).any() and "" in conversion.rows["sky"]
    answers = conversion.answers["yes"][:, 0]
    assert set(answers[~np.isnan(answers)]) == {0.25, 0.75, 0.9}
    # outside of the interval that the document declares, it has no answer
    outside = np.abs(conversion.rows["degrees"][:, 0] - 15) > 25
    np.testing.assert_array_equal(np.isnan(answers), outside)


def test_a_document_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    file = changed(tmp_path, "<yes>0.25</yes>", "<yes>0.26</yes>")
    with pytest.raises(SlipwayError, match="verification row 2 .* expects yes = 0.26"):
        convert(file, tmp_path / "out", Options("", "25.04"))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("</PMML>", "", "truncated"),
        ('version="4.3"', 'version="5.0"', "newer than 4.4"),
        ("<PMML", "<!DOCTYPE PMML [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n<PMML", "type"),
        ("TreeModel", "Model", "without a model"),
    ],
)
def test_a_document_that_is_wrong_says_how(tmp_path: Path, old: str, new: str, why: str) -> None:
    with pytest.raises(SlipwayError, match=why):
        recognise(changed(tmp_path, old, new))


def test_version_model_and_writer_are_read_without_an_evaluator() -> None:
    _, recognised = recognise(DOCUMENT)
    assert recognised.about == "a PMML 4.3 model (TreeModel, written by by hand)"
