"""A folder made of a conversion passes check, and is served with the framework's answers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.check import check
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from slipway.formats.conversion import Conversion
from slipway.formats.format import Feature
from slipway.model.original import load_options, load_record
from slipway.scaffold import from_conversion
from slipway.scaffold.columns import Wish
from slipway.server.client import InferenceError
from slipway.server.server import Server
from slipway.settings import Settings
from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton import config
from tests.scaffold import conversions
from tests.scaffold.serving import artifact


def create(conversion: Conversion, settings: Settings, columns: Wish = None) -> Path:
    """Create a model folder of a conversion, and check that it has no findings."""
    planned = from_conversion.plan(conversion, columns=columns)
    folder = from_conversion.write("sample", planned, settings)
    assert check([folder], settings) == []
    return folder


@pytest.fixture
def model(environment: ExecutionEnvironment, server: Server) -> Any:
    """Return a function that serves a folder and compares the golden cases with its answers."""
    targets: list[str] = []

    def serve(folder: Path) -> Model:
        targets.append(f"{folder.name}.tar.gz")
        server.load(targets[-1], artifact(folder, environment))
        served = Model(server, targets[-1])
        assert golden.cases(folder)
        for case in golden.cases(folder):
            assert golden.differences(case, golden.outcome(served, case)) == []
        return served

    yield serve
    for target in targets:
        server.unload(target)


def test_everything_that_was_converted_is_kept(tmp_path: Path, settings: Settings) -> None:
    folder = create(conversions.wide(tmp_path / "out"), settings)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files >= {
        "dvc.yaml",
        "original/.gitignore",
        "original/trained.bin",
        "original/trained.bin.dvc",
        "original/conversion.toml",
        "original/conversion.json",
        "original/requirements.lock",
        "sample_inferencer/1/model.onnx.dvc",
        "tests/cases/reference/expected.json",
        "tests/cases/reference_2/expected.json",
        "tests/cases/reference_3/expected.json",
    }
    assert (folder / "original" / ".gitignore").read_text().split() == ["/converted"]
    options = load_options(folder)
    assert (options.source, options.backend, options.rows) == ("trained.bin", "onnxruntime", None)
    record = load_record(folder)
    assert record is not None and record["versions"] == {"sample": "1.0"}
    pointer = (folder / "sample_inferencer" / "1" / "model.onnx.dvc").read_text()
    assert record["files"]["model.onnx"]["md5"] in pointer


def test_named_columns_are_inputs_and_may_be_missing(
    tmp_path: Path, settings: Settings, model: Any
) -> None:
    served = model(create(conversions.wide(tmp_path / "out"), settings))
    whole = {"age": [[30.0]], "fare_paid": [[7.25]], "class": [[3.0]]}
    assert served(whole)["average"][0, 0] == pytest.approx(40.25 / 3)
    # the age may be missing, the class not
    assert math.isnan(served({"fare_paid": [[7.25]], "class": [[3.0]]})["average"][0, 0])
    with pytest.raises(InferenceError):
        served({"age": [[30.0]], "fare_paid": [[7.25]]})


def test_a_wide_tensor_can_be_kept_whole(tmp_path: Path, settings: Settings, model: Any) -> None:
    served = model(create(conversions.wide(tmp_path / "out"), settings, "tensor"))
    answer = served({"table": np.array([[1, 2, 3], [4, 5, 6]], np.float32)})
    assert answer["average"].tolist() == [[2], [5]]


def test_columns_without_names_are_one_tensor_unless_asked_for(
    tmp_path: Path, settings: Settings
) -> None:
    made = conversions.wide(tmp_path, tuple(Feature(f"f{n}", missing=True) for n in range(3)))
    inputs = [client.public for client in from_conversion.plan(made).steps.clients]
    asked = from_conversion.plan(made, columns="columns").steps.clients
    assert inputs == ["table"] and [client.public for client in asked] == ["f0", "f1", "f2"]


def test_columns_that_the_file_does_not_name_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="names no columns of its input 'table'"):
        from_conversion.plan(conversions.wide(tmp_path, ()), columns="columns")


def test_an_input_for_each_column_is_served_with_what_is_missing_filled_in(
    tmp_path: Path, settings: Settings, model: Any
) -> None:
    served = model(create(conversions.columns(tmp_path / "out"), settings))
    answer = served({"age": [[22.0], [38.0]], "fare": [[1.0], [2.0]]})
    assert answer["kind"].tolist() == [[b""], [b""]]
    assert answer["sum"].tolist() == [[23.0], [40.0]]


def test_only_what_is_needed_is_required(tmp_path: Path, settings: Settings) -> None:
    folder = create(conversions.columns(tmp_path / "out"), settings)
    pipeline = config.load_config(folder / "sample_pipeline" / "config.pbtxt")
    assert [tensor.name for tensor in pipeline.input if not tensor.optional] == ["age"]


def test_a_difference_beyond_the_usual_is_the_tolerance_of_the_cases(
    tmp_path: Path, settings: Settings
) -> None:
    made = conversions.wide(tmp_path / "out")
    made = conversions.conversion(
        tmp_path / "out", made.converted, made.rows, made.answers, difference=5e-5
    )
    folder = create(made, settings)
    expected = json.loads((folder / "tests/cases/reference/expected.json").read_text())
    assert expected["outputs"]["average"]["atol"] == 1e-4
