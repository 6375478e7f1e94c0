"""A real server agrees with the verdict on a foreign repository, which lies there as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from slipway.check import check_foreign
from slipway.check.foreign.model import find_foreign_models, foreign_settings
from slipway.triton.datatypes import Array
from tests.adopt import foreign_repositories
from tests.check.real_server import NUMPY, RealServer, as_arrays

SETTINGS = foreign_settings(None)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server that completes configs, as an endpoint's does by default."""
    packages = (*NUMPY, "PIL", "pillow.libs")
    with RealServer(tmp_path_factory.mktemp("server"), packages) as started:
        yield started


def texts(*lines: str) -> Array:
    return np.array([[line.encode()] for line in lines], dtype=np.object_)


def errors_in(models: Path) -> set[str]:
    findings = [f for m in find_foreign_models(models, SETTINGS) for f in check_foreign(m)[0]]
    return {finding.rule for finding in findings if finding.severity == "error"}


def test_a_repository_without_an_error_is_served(server: RealServer, tmp_path: Path) -> None:
    """Its ONNX model lists no tensors: the server completes them."""
    models = foreign_repositories.make("bert_ensemble", tmp_path) / "ensemble_hf"
    assert errors_in(models) == set()
    request = as_arrays({"INPUT0": texts("the paper is long", "a book")})
    outcome = server.outcome(models, [request], auto_complete=True)
    (answer,) = outcome.answers
    assert not isinstance(answer, str)
    expected = [[4.5, 2.25, 1.125, 0.5625], [6.0, 3.0, 1.5, 0.75]]
    np.testing.assert_allclose(answer["finaloutput"], expected)


@pytest.mark.parametrize(
    ("name", "folder", "rule", "message"),
    [
        ("ocr", "model_repository", "SW121", "at least one version must be available"),
        ("tensorrt_llm", "all_models", "SW201", "failed to poll from model repository"),
        ("weights_elsewhere", "models", "SW301", "INVALID_PROTOBUF"),
        ("yolo", "models", "SW571", "has no attribute 'deserialize_bytes_tensor'"),
    ],
)
def test_a_repository_with_an_error_is_refused(
    name: str, folder: str, rule: str, message: str, server: RealServer, tmp_path: Path
) -> None:
    models = foreign_repositories.make(name, tmp_path) / folder
    assert rule in errors_in(models)
    assert message in server.outcome(models, [], auto_complete=True).refused


def test_a_repository_whose_mistake_is_corrected_is_served(
    server: RealServer, tmp_path: Path
) -> None:
    from PIL import Image

    models = foreign_repositories.make("ocr", tmp_path) / "model_repository"
    (models / "ensemble_model/1").mkdir()
    (models / "ensemble_model/1/.gitkeep").touch()
    assert errors_in(models) == set()
    picture = tmp_path / "picture.png"
    Image.fromarray(np.arange(8 * 32 * 3, dtype=np.uint8).reshape(8, 32, 3)).save(picture)
    encoded = np.frombuffer(picture.read_bytes(), np.uint8)[np.newaxis]
    outcome = server.outcome(models, [as_arrays({"input_image": encoded})], auto_complete=True)
    (answer,) = outcome.answers
    assert not isinstance(answer, str)
    assert answer["recognized_text"].shape == (1, 1)


@pytest.mark.parametrize(
    ("name", "folder", "rule", "request_of", "inputs"),
    [
        (
            "bls_pipeline",
            "triton/models",
            "SW105",
            "toxicity",
            {"comment": texts("you are stupid")},
        ),
        (
            "config_too_deep",
            "model_repository",
            "SW130",
            "sentiment",
            {"text": np.array([b"a good book"], dtype=np.object_)},
        ),
    ],
)
def test_where_another_model_would_answer_it_is_an_error(
    name: str,
    folder: str,
    rule: str,
    request_of: str,
    inputs: dict[str, Array],
    server: RealServer,
    tmp_path: Path,
) -> None:
    models = foreign_repositories.make(name, tmp_path) / folder
    assert rule in errors_in(models)
    outcome = server.outcome(models, [as_arrays(inputs)], auto_complete=True)
    assert outcome.refused or all(request_of not in answer for answer in outcome.answers)
