"""A format that another package brings: from its file to files that are served."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.formats.conversion import Conversion
from slipway.formats.convert import convert
from slipway.formats.format import Options
from slipway.formats.plan import Demands
from slipway.formats.recognise import recognise
from slipway.formats.registry import format_named
from slipway.formats.sandbox.run import Limits

type Convert = Callable[..., Conversion]


@pytest.fixture
def run(outside: None, weights: Path, tmp_path: Path) -> Convert:
    """Return a function that converts the file of means with settings."""
    numbers = iter(range(10))

    def go(
        demands: Demands | None = None,
        *,
        backend: str = "",
        code: Path | None = None,
        **settings: str,
    ) -> Conversion:
        options = Options(backend, "25.04", code, settings)
        return convert(weights, tmp_path / f"out{next(numbers)}", options, demands)

    return go


def test_its_file_is_recognised_and_it_is_found_by_name(outside: None, weights: Path) -> None:
    form, recognised = recognise(weights)
    assert (form.name, recognised.about, recognised.facts) == (
        "means",
        "weighted means",
        {"columns": 3},
    )
    assert format_named("means") is form


def test_without_the_package_its_file_is_of_no_known_format(weights: Path) -> None:
    with pytest.raises(SlipwayError) as raised:
        recognise(weights)
    assert raised.value.where == str(weights)
    with pytest.raises(SlipwayError, match="no format 'means'"):
        format_named("means")


def test_what_is_converted_answers_as_the_framework_does(run: Convert) -> None:
    conversion = run()

    assert conversion.difference is not None and conversion.difference < 1e-6
    assert sorted(path.name for path in conversion.folder.iterdir()) == ["model.py", "weights.json"]
    rows, answers = conversion.rows["columns"], conversion.answers["mean"]
    assert np.allclose(answers, rows @ [1, 2, 3] / 6) and len(rows) == 200
    assert conversion.drawn and conversion.choice.reason == "nothing else serves means"
    record = conversion.record
    assert (record["format"], record["backend"]) == ("means", "python")
    assert record["rows"] == {"count": 200, "drawn": True}
    assert record["versions"]["means"] == "1" and len(record["lock"]) == 64


def test_the_same_file_is_converted_to_the_same_bytes(run: Convert) -> None:
    first, second = run(), run()
    assert first.record == second.record
    for name in first.converted.files:
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()


def test_the_users_rows_and_code_are_used(run: Convert, tmp_path: Path) -> None:
    rows, code = tmp_path / "rows.csv", tmp_path / "network.py"
    rows.write_text("column 0,column 1,column 2,target\n1,2,3,9\n4,5,6,9\n")
    code.write_text("from the code")
    conversion = run(Demands(rows=rows), code=code)

    assert conversion.rows["columns"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert conversion.record["rows"] == {"count": 2, "drawn": False}
    assert conversion.converted.notes == (
        "from the code",
        "columns of rows.csv that are not used: target",
    )


def test_other_answers_are_refused_with_rows_columns_cause_and_fix(
    run: Convert, tmp_path: Path, weights: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("column 0,column 1,column 2\n-1,2,3\n1,2,3\n0,0,0\n")
    with pytest.raises(SlipwayError) as raised:
        run(Demands(rows=rows), off="0.25")

    assert raised.value.where == str(weights)
    assert raised.value.what.splitlines() == [
        "1 of 3 rows is answered differently by what would be served (python; tolerance 0.0001)",
        "  output 'mean': 1 row, by up to 0.25",
        "  row 2: mean is 2.33333 in the framework, 2.58333 as served",
        "    of column 0=1, column 1=2, column 2=3",
        "  cause: the first column is above 0",
    ]
    assert raised.value.fix == ("leave out --set off; or if 0.25 does not matter: --tolerance 0.3")
    assert not list(tmp_path.glob("out*"))


def test_the_tolerance_that_the_refusal_names_accepts_it(run: Convert) -> None:
    conversion = run(Demands(tolerance=0.3), off="0.25")
    assert conversion.difference is not None and 0.01 < conversion.difference < 0.26
    assert conversion.record["tolerance"] == 0.3


def test_a_backend_that_does_not_serve_it_is_refused_with_those_that_do(run: Convert) -> None:
    with pytest.raises(SlipwayError, match="python: nothing else serves means") as raised:
        run(backend="onnxruntime")
    assert raised.value.fix == "--backend python"


@pytest.mark.parametrize(
    "fails, what",
    [
        ("refused", "has no last column"),
        ("raised", "the framework raised RuntimeError: internal of"),
        ("aborted", "converting weights.means ended with status 134"),
        ("network", "OSError: .*[Uu]nreachable|PermissionError"),
        ("outside", "has not written '../answer.json'"),
        ("link", "has not written 'link'"),
    ],
)
def test_a_conversion_that_fails_says_why(
    run: Convert, tmp_path: Path, weights: Path, fails: str, what: str
) -> None:
    with pytest.raises(SlipwayError, match=what) as raised:
        run(fails=fails)
    assert "inputs/" not in str(raised.value) and raised.value.fix
    if fails in ("refused", "raised"):
        assert str(weights) in raised.value.what
    assert not list(tmp_path.glob("out*"))


def test_a_conversion_that_takes_too_much_memory_is_ended(run: Convert) -> None:
    limits = Limits(memory=500_000_000)
    with pytest.raises(SlipwayError, match="converting weights.means took more than 500 MB"):
        run(Demands(limits=limits), fails="memory")


def test_the_isolation_is_named(run: Convert) -> None:
    assert run().isolation.startswith("network: a network namespace; files: ") or (
        "Landlock" in run().isolation
    )


def test_a_package_whose_format_cannot_be_imported_is_named(
    outside: None, monkeypatch: pytest.MonkeyPatch, weights: Path
) -> None:
    monkeypatch.delattr(importlib.import_module("slipway_means.means"), "FORMAT")
    with pytest.raises(SlipwayError, match="the format 'means' cannot be imported") as raised:
        recognise(weights)
    assert raised.value.fix == "update or uninstall slipway-means"
