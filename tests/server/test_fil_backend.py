"""Forests on the Python-based backend: the frameworks' answers, and what the native one refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from slipway.server.server import Server
from slipway.triton.datatypes import Array
from tests.server.standin_models import (
    FIXTURES,
    ask,
    parameters,
    refusal,
    repository,
    serving,
    tensor,
)

CHECKPOINT = {"model_type": "treelite_checkpoint"}
LIGHTGBM = {"model_type": "lightgbm"}
CLASSES = {"output_class": "true", "threshold": "0.5"}
SCORES = {"output_class": "true", "threshold": "0.5", "predict_proba": "true"}
NUMBER = {"output_class": "false"}


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for a release from 25.09 on, which has the same Treelite as 25.04."""
    with serving(tmp_path_factory.mktemp("newer"), "25.09") as server:
        yield server


def forest(
    folder: Path,
    file: str,
    features: int,
    dims: str,
    values: Mapping[str, str],
    shap: str = "",
    more: str = "max_batch_size: 64",
) -> Path:
    """A model of one forest; ``dims`` are the output's, ``shap`` those of its contributions."""
    names = {".tl": "checkpoint.tl", ".txt": "model.txt", ".json": "xgboost.json"}
    name = names.get(Path(file).suffix, "xgboost.ubj")
    config = f"{more}\n{tensor('input', 'input__0', 'FP32', str(features))}"
    config += tensor("output", "output__0", "FP32", dims)
    config += tensor("output", "treeshap_output", "FP32", shap) if shap else ""
    return repository(folder, "fil", {name: f"forests/{file}"}, config + parameters(values))


def answers(name: str) -> dict[str, Array]:
    """Return rows, scores and SHAP values of the framework that trained the forest ``name``."""
    with np.load(FIXTURES / "forests" / f"{name}.npz") as archive:
        return dict(archive)


@pytest.mark.parametrize(
    ("name", "file", "dims", "values", "shap"),
    [
        ("binary", "binary.tl", "2", {**CHECKPOINT, **SCORES}, "5"),
        ("classes", "classes.tl", "3", {**CHECKPOINT, **SCORES}, "3, 5"),
        ("lightgbm", "lightgbm.txt", "3", {**LIGHTGBM, **SCORES}, "3, 5"),
        ("sklearn", "sklearn.tl", "3", {**CHECKPOINT, **SCORES}, ""),
        ("regression", "regression.tl", "1", {**CHECKPOINT, **NUMBER}, "11"),
    ],
)
def test_a_forest_answers_as_its_framework(
    name: str,
    file: str,
    dims: str,
    values: dict[str, str],
    shap: str,
    server: Server,
    tmp_path: Path,
) -> None:
    expected = answers(name)
    features = expected["rows"].shape[1]
    server.load(name, forest(tmp_path, file, features, dims, values, shap))
    answer = server.invoke(name, {"input__0": expected["rows"]})
    scores = expected["scores"].reshape(answer["output__0"].shape)
    np.testing.assert_allclose(answer["output__0"], scores, rtol=1e-5, atol=1e-6)
    if shap:
        contributions = expected["shap"].reshape(answer["treeshap_output"].shape)
        np.testing.assert_allclose(answer["treeshap_output"], contributions, rtol=1e-4, atol=1e-5)
    assert "fil: Slipway's own, treelite 4.4.1" in server.describe(name)


def test_an_output_of_one_number_has_no_dimension_for_it(server: Server, tmp_path: Path) -> None:
    """The native backend removes sizes of 1 (rapids-triton, squeeze_output)."""
    values = {**CHECKPOINT, **CLASSES, "threshold": "0.9"}
    server.load("one", forest(tmp_path, "binary.tl", 4, "1", values))
    expected = answers("binary")
    labels = server.invoke("one", {"input__0": expected["rows"]})["output__0"]
    np.testing.assert_array_equal(labels, (expected["scores"][:, 1] > 0.9).astype(np.float32))


def test_before_2509_one_probability_a_row_is_of_every_second_row(
    server: Server, newer: Server, tmp_path: Path
) -> None:
    folder = forest(tmp_path, "binary.tl", 4, "1", {**CHECKPOINT, **SCORES})
    expected = answers("binary")
    request = {"input__0": expected["rows"][:4]}
    positive = expected["scores"][:4, 1]
    newer.load("single", folder)
    np.testing.assert_allclose(newer.invoke("single", request)["output__0"], positive, rtol=1e-5)
    server.load("single", folder)
    wrong = [1 - positive[0], positive[0], 1 - positive[1], positive[1]]
    np.testing.assert_allclose(server.invoke("single", request)["output__0"], wrong, rtol=1e-5)


def test_classes_of_several_fail_on_a_cpu_before_2509(
    server: Server, newer: Server, tmp_path: Path
) -> None:
    """It asks Treelite for max_index, which Treelite has not since 4.0: the text is Treelite's."""
    folder = forest(tmp_path, "classes.tl", 4, "1", {**CHECKPOINT, **CLASSES})
    expected = answers("classes")
    request = {"input__0": expected["rows"]}
    labels = expected["scores"].argmax(axis=1)
    server.load("labels", folder)
    answer = ask(server, "labels", request)
    assert isinstance(answer, str) and "Post-processor named 'max_index' not found" in answer
    newer.load("labels", folder)
    np.testing.assert_array_equal(newer.invoke("labels", request)["output__0"], labels)


@pytest.mark.parametrize(
    ("more", "values"),
    [
        ("instance_group { kind: KIND_GPU }", {}),
        ("", {"use_experimental_optimizations": "true"}),
    ],
    ids=["on_a_gpu", "by_herring"],
)
def test_classes_of_several_are_answered(
    more: str, values: dict[str, str], server: Server, tmp_path: Path
) -> None:
    values = {**CHECKPOINT, **CLASSES, **values}
    more = f"max_batch_size: 64 {more}"
    target = "-".join(values)[-20:] + str(len(more))
    server.load(target, forest(tmp_path, "classes.tl", 4, "1", values, more=more))
    expected = answers("classes")
    answer = server.invoke(target, {"input__0": expected["rows"]})
    np.testing.assert_array_equal(answer["output__0"], expected["scores"].argmax(axis=1))


@pytest.mark.parametrize(
    ("file", "features", "dims", "values", "message"),
    [
        ("binary.tl", 4, "2", {**CHECKPOINT, "predict_proba": "true"}, "Required parameter"),
        ("binary.tl", 4, "2", {**CHECKPOINT, "output_class": "true"}, "parameter threshold not"),
        ("binary.tl", 4, "1", {**CHECKPOINT, "output_class": "yes"}, "Expected 'true' or 'false'"),
        ("binary.tl", 4, "1", {**CHECKPOINT, **CLASSES, "threshold": "half"}, "Bad input for"),
        ("binary.tl", 4, "1", {"model_type": "catboost", **NUMBER}, "not recognized as a valid"),
        ("binary.tl", 5, "1", {**CHECKPOINT, **NUMBER}, "5 numbers a row, and the model has 4"),
        ("classes.tl", 4, "2", {**CHECKPOINT, **SCORES}, "2 numbers a row, and 3 are written"),
        ("xgboost_3.json", 4, "1", {"model_type": "xgboost_json", **NUMBER}, "Treelite 4.4.1"),
        ("xgboost_3.ubj", 4, "1", {"model_type": "xgboost_ubj", **NUMBER}, "Treelite 4.4.1"),
        ("lightgbm.txt", 4, "1", {**CHECKPOINT, **NUMBER}, 'Could not open model file "'),
    ],
)
def test_what_the_native_backend_refuses_or_gets_wrong_is_refused(
    file: str,
    features: int,
    dims: str,
    values: dict[str, str],
    message: str,
    server: Server,
    tmp_path: Path,
) -> None:
    target = tmp_path.name
    assert message in refusal(server, target, forest(tmp_path, file, features, dims, values))


def test_a_release_names_the_parameter_that_it_needs(newer: Server, tmp_path: Path) -> None:
    values = {**CHECKPOINT, "predict_proba": "true"}
    folder = forest(tmp_path, "binary.tl", 4, "2", values)
    what = refusal(newer, "needed", folder)
    assert "Required parameter is_classifier not found in config" in what


@pytest.mark.parametrize(
    ("file", "features", "shap", "message"),
    [
        ("deep.tl", 1, "2", "Tree depths above 32 not supported"),
        ("binary.tl", 4, "4", "4 numbers a row, and 1 × (4 + 1) are written"),
    ],
)
def test_contributions_that_cannot_be_had_are_refused(
    file: str, features: int, shap: str, message: str, server: Server, tmp_path: Path
) -> None:
    values = {**CHECKPOINT, **NUMBER}
    what = refusal(server, tmp_path.name, forest(tmp_path, file, features, "1", values, shap))
    assert message in what


def test_the_tensors_have_the_names_and_the_type_of_the_backend(
    server: Server, tmp_path: Path
) -> None:
    files = {"checkpoint.tl": "forests/binary.tl"}
    head = "max_batch_size: 8\n" + parameters({**CHECKPOINT, **NUMBER})
    config = head + tensor("input", "x", "FP32", "4") + tensor("output", "output__0", "FP32", "1")
    server.load("x", repository(tmp_path / "x", "fil", files, config))
    rows = np.zeros((1, 4), np.float32)
    assert "unknown request input name input__0" in str(ask(server, "x", {"x": rows}))
    config = head + tensor("input", "input__0", "FP32", "4") + tensor("output", "y", "FP32", "1")
    server.load("y", repository(tmp_path / "y", "fil", files, config))
    answer = ask(server, "y", {"input__0": rows})
    assert "No output with name output__0 in configuration." in str(answer)
    config = head + tensor("input", "input__0", "FP64", "4")
    config += tensor("output", "output__0", "FP32", "1")
    server.load("z", repository(tmp_path / "z", "fil", files, config))
    answer = ask(server, "z", {"input__0": rows.astype(np.float64)})
    assert "incorrect type FP64 for input with required type FP32" in str(answer)
