"""scikit-learn's models answer as scikit-learn does; what runs code, or differs, is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.formats.conversion import Conversion
from slipway.formats.convert import convert
from slipway.formats.format import Options
from slipway.formats.recognise import recognise

TABLES = Path(__file__).parents[1] / "fixtures" / "tables"

type Run = Callable[..., Conversion]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    numbers = iter(range(10))

    def go(file: str | Path, backend: str = "", **set_: str) -> Conversion:
        out = tmp_path / f"out{next(numbers)}"
        return convert(TABLES / file, out, Options(backend, "25.04", settings=set_))

    return go


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    """Return the conversion of a table's pipeline, which nothing changes."""
    out = tmp_path_factory.mktemp("table") / "out"
    return convert(TABLES / "table.skops", out, Options("", "25.04"))


def test_a_table_becomes_an_input_for_each_column_that_is_used(table: Conversion) -> None:
    inputs = {tensor.name: tensor.datatype for tensor in table.converted.inputs}
    assert inputs == {
        **{"sex": "BYTES", "port": "BYTES", "fare": "FP32", "age": "FP32"},
        **{"class": "INT64", "ticket no": "FP32"},
    }
    assert table.difference is not None and table.difference < 1e-5
    assert "the model does not use unused" in table.converted.notes
    # the scaler before the forest, and NaN among the texts
    assert len(table.converted.repairs) == 2
    assert set(table.rows["port"].ravel()) >= {"", "S", "C"}


def test_categories_and_ranges_are_those_of_the_fitted_steps(table: Conversion) -> None:
    inputs = {tensor.name: tensor.features[0] for tensor in table.converted.inputs}
    assert inputs["class"].values == (1, 2, 3)
    assert {"male", "female"} < set(inputs["sex"].values)
    assert inputs["age"].missing and 0 < inputs["age"].low < 30 < inputs["age"].high < 70


@pytest.mark.parametrize("name", ["pairs.skops", "pairs.joblib"])
def test_texts_with_letters_alone_accents_and_capitals_answer_equally(run: Run, name: str) -> None:
    conversion = run(name)
    assert conversion.difference is not None and conversion.difference < 1e-6
    texts = "".join(conversion.rows["text"].ravel())
    assert "Élan" in texts and "ÉLAN" in texts  # which locale C does not lower
    assert len(conversion.converted.repairs) == 3


def test_what_a_graph_cannot_compute_is_refused_with_its_cause(run: Run) -> None:
    with pytest.raises(SlipwayError, match="makes one space of several") as refused:
        run("letters.skops")
    assert "--backend python" in str(refused.value.fix)
    with pytest.raises(SlipwayError, match="strip_accents") as refused:
        run("accents.skops")
    assert "--backend python" in str(refused.value.fix)


@pytest.mark.parametrize("name", ["letters.skops", "accents.skops", "table.skops"])
def test_scikit_learn_itself_serves_it_to_the_last_bit(run: Run, name: str) -> None:
    conversion = run(name, "python")
    assert conversion.difference == 0
    assert "scikit-learn==1.9.1" in conversion.converted.packages
    assert not any(file.endswith((".pkl", ".joblib")) for file in conversion.converted.files)


def test_a_type_that_is_not_known_is_named_and_refused(run: Run) -> None:
    with pytest.raises(SlipwayError, match="__main__.Halved") as refused:
        run("class_of_its_author.skops")
    assert refused.value.fix == "if you know them, name them: --set trusted=__main__.Halved"
    with pytest.raises(SlipwayError, match="Halved") as refused:
        run("class_of_its_author.skops", trusted="__main__.Halved")
    assert "--code FILE" in str(refused.value.fix)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("calls_the_system.pkl", "posix.system"),
        ("calls_through_a_module.pkl", "sklearn.utils:os.system"),
    ],
)
def test_a_pickle_that_runs_code_is_refused_before_it_is_loaded(
    run: Run, name: str, what: str
) -> None:
    assert recognise(TABLES / name)[1].facts["kind"] == "pickle"
    with pytest.raises(SlipwayError, match=what):
        run(name)


def test_another_scikit_learn_is_asked_for_by_its_version(run: Run) -> None:
    with pytest.raises(SlipwayError, match="scikit-learn 1.5.2 wrote it") as refused:
        run("older.joblib")
    assert refused.value.fix == "--with 'scikit-learn==1.5.2'"


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("table.skops", "a scikit-learn model of 1.9.1 (Pipeline, skops)"),
        ("pairs.joblib", "a scikit-learn model of 1.9.1 (Pipeline, pickle, packed with xz)"),
        ("older.joblib", "a scikit-learn model of 1.5.2 (LogisticRegression, pickle)"),
    ],
)
def test_version_and_kind_are_read_without_loading(name: str, about: str) -> None:
    assert recognise(TABLES / name)[1].about == about


@pytest.mark.parametrize("name", ["pairs.joblib", "older.joblib"])
def test_a_truncated_pickle_is_refused(tmp_path: Path, name: str) -> None:
    cut = tmp_path / name
    shutil.copyfile(TABLES / name, cut)
    cut.write_bytes(cut.read_bytes()[:-20])
    with pytest.raises(SlipwayError):
        recognise(cut)
