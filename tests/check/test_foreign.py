"""A foreign repository is judged where it lies, by what a server does with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from slipway.check import RULES, Finding, check_foreign
from slipway.check.foreign.model import (
    NEWEST_RELEASE,
    find_foreign_models,
    foreign_settings,
)
from slipway.errors import SlipwayError
from tests.adopt import foreign_repositories

ROOT = Path(__file__).parents[2]
SETTINGS = foreign_settings(None)
# what a server refuses or answers wrongly, of each repository, by rule and file or folder
ERRORS = {
    "bert_ensemble": [],
    "bls_pipeline": ["SW105 triton/models"],
    "config_too_deep": [
        "SW130 model_repository/classifier/1/config.pbtxt",
        "SW130 model_repository/ensemble_model/1/config.pbtxt",
    ],
    "dali_ensemble": [],
    "fil_ensemble": ["SW262 model_repository/preprocessing/config.pbtxt:42"],
    "ocr": ["SW121 model_repository/ensemble_model"],
    "packed_environment": ["SW263 repo/sentence_stats/config.pbtxt:20"],
    "single_models": ["SW232 models/inception_graphdef/config.pbtxt:2"],
    "tensorrt_llm": [
        "SW201 all_models/ensemble/config.pbtxt:3",
        "SW201 all_models/postprocessing/config.pbtxt:3",
        "SW201 all_models/postprocessing/config.pbtxt:28",
        "SW201 all_models/preprocessing/config.pbtxt:3",
        "SW201 all_models/preprocessing/config.pbtxt:43",
        "SW260 all_models/tensorrt_llm/config.pbtxt:2",
        "SW201 all_models/tensorrt_llm/config.pbtxt:3",
        "SW201 all_models/tensorrt_llm/config.pbtxt:6",
        "SW201 all_models/tensorrt_llm/config.pbtxt:11",
    ],
    "weights_elsewhere": ["SW301 models/faces/1/model.onnx"],
    "whisper": [],
    "yolo": [
        "SW571 models/postprocess/1/triton_python_backend_utils.py:1",
        "SW121 models/yolov8_ensemble",
    ],
}


def findings_in(path: Path) -> list[Finding]:
    return [f for model in find_foreign_models(path, SETTINGS) for f in check_foreign(model)[0]]


def errors_in(path: Path, root: Path) -> list[str]:
    errors = [f for f in findings_in(path) if f.severity == "error"]
    return [
        f"{f.rule} {f.location.file.relative_to(root)}"
        + (f":{f.location.line}" if f.location.line else "")
        for f in errors
    ]


def served_names(path: Path) -> list[str]:
    return [model.name for model in find_foreign_models(path, SETTINGS)]


@pytest.mark.parametrize("name", foreign_repositories.names())
def test_a_repository_has_the_errors_that_a_server_sees(name: str, tmp_path: Path) -> None:
    folder = foreign_repositories.make(name, tmp_path)
    assert errors_in(folder, folder) == ERRORS[name]


@pytest.mark.parametrize("name", foreign_repositories.names())
def test_what_adopt_does_is_counted_and_not_reported(name: str, tmp_path: Path) -> None:
    folder = foreign_repositories.make(name, tmp_path)
    for model in find_foreign_models(folder, SETTINGS):
        findings, things = check_foreign(model)
        assert {RULES[finding.rule].scope for finding in findings} <= {"server", "foreign"}
        assert things > 0  # a version file, at least


@pytest.mark.parametrize("name", foreign_repositories.names())
def test_a_repository_is_found_in_it_and_from_above(name: str, tmp_path: Path) -> None:
    folder = foreign_repositories.make(name, tmp_path)
    models = find_foreign_models(folder, SETTINGS)
    inside = models[0].folder
    assert served_names(inside) == served_names(folder) == served_names(tmp_path)
    assert errors_in(inside, folder) == errors_in(tmp_path, folder)


def test_independent_models_are_models_each(tmp_path: Path) -> None:
    folder = foreign_repositories.make("single_models", tmp_path)
    assert served_names(folder) == [
        "densenet_onnx",
        "identity_fp32",
        "inception_graphdef",
        "resnet50_torch",
        "scaler",
    ]


@pytest.mark.parametrize(
    ("name", "served", "called"),
    [
        ("ocr", "ensemble_model", 5),
        ("bls_pipeline", "pipeline", 2),
        ("config_too_deep", "ensemble_model", 2),
        ("tensorrt_llm", "ensemble", 3),
    ],
)
def test_a_model_comes_with_those_that_it_calls(
    name: str, served: str, called: int, tmp_path: Path
) -> None:
    (model,) = find_foreign_models(foreign_repositories.make(name, tmp_path), SETTINGS)
    assert (model.name, len(model.directories)) == (served, 1 + called)


def test_one_model_is_checked_alone(tmp_path: Path) -> None:
    models = foreign_repositories.make("fil_ensemble", tmp_path) / "model_repository"
    assert errors_in(models / "postprocessing", models) == []
    assert errors_in(models / "preprocessing", models) == ["SW262 preprocessing/config.pbtxt:42"]
    (ensemble,) = find_foreign_models(models / "ensemble", SETTINGS)
    assert len(ensemble.directories) == 4


def test_a_model_of_two_ensembles_is_in_both(tmp_path: Path) -> None:
    models = foreign_repositories.make("ocr", tmp_path) / "model_repository"
    shutil.copytree(models / "ensemble_model", models / "second")
    config = models / "second/config.pbtxt"
    config.write_text(config.read_text().replace('name: "ensemble_model"', 'name: "second"'))
    first, second = find_foreign_models(models, SETTINGS)
    assert (first.name, second.name) == ("ensemble_model", "second")
    assert "SW104" not in {finding.rule for finding in findings_in(models)}


def test_a_repository_next_to_a_model_is_found(tmp_path: Path) -> None:
    """As in the examples of Triton's Python backend."""
    foreign_repositories.make("ocr", tmp_path)
    models = foreign_repositories.make("whisper", tmp_path) / "model_repository"
    shutil.move(models / "whisper_tiny", tmp_path / "whisper_tiny")
    assert served_names(tmp_path) == ["whisper_tiny", "ensemble_model"]


def test_models_that_call_each_other_in_a_circle_are_one(tmp_path: Path) -> None:
    models = foreign_repositories.make("bls_pipeline", tmp_path) / "triton/models"
    code = models / "featurizer/1/model.py"
    code.write_text(
        f'{code.read_text()}\nREQUEST = pb_utils.InferenceRequest(model_name="pipeline")\n'
    )
    assert served_names(models) == ["featurizer"]


def test_a_step_without_a_config_is_completed_by_the_server(tmp_path: Path) -> None:
    models = foreign_repositories.make("bert_ensemble", tmp_path) / "ensemble_hf"
    (models / "bert-onnx/config.pbtxt").unlink()
    assert errors_in(models, models) == []


def test_an_input_that_completed_weights_lack_is_found(tmp_path: Path) -> None:
    """The config of this step names no tensors; its graph has no such input."""
    models = foreign_repositories.make("bert_ensemble", tmp_path) / "ensemble_hf"
    config = models / "ensemble/config.pbtxt"
    config.write_text(config.read_text().replace('key: "token_ids"', 'key: "tokens_ids"'))
    assert "SW404" in {finding.rule for finding in findings_in(models)}


@pytest.mark.parametrize("name", ["ocr", "yolo"])
def test_the_version_directory_of_an_ensemble_is_made_as_the_finding_says(
    name: str, tmp_path: Path
) -> None:
    folder = foreign_repositories.make(name, tmp_path)
    for copy in folder.rglob("triton_python_backend_utils.py"):  # another mistake
        copy.unlink()
    (finding,) = [finding for finding in findings_in(folder) if finding.rule == "SW121"]
    made = Path(finding.fix.removeprefix("mkdir ").partition(",")[0])
    made.mkdir()
    (made / ".gitkeep").touch()
    assert errors_in(folder, folder) == []


def test_a_version_without_its_model_is_found_where_nothing_is_packed(tmp_path: Path) -> None:
    models = foreign_repositories.make("ocr", tmp_path) / "model_repository"
    (models / "text_detection/1/model.onnx").unlink()
    assert errors_in(models / "text_detection", models) == ["SW321 text_detection/1"]


def test_an_environment_with_the_stubs_python_is_right(tmp_path: Path) -> None:
    model = foreign_repositories.make("packed_environment", tmp_path) / "repo/sentence_stats"
    archive = model / "python-3-8.tar.gz"
    archive.unlink()
    (archive / "lib/python3.12/site-packages/numpy").mkdir(parents=True)
    (archive / "lib/python3.1").symlink_to("python3.12")  # as conda has it
    (archive / "lib/python3.12/site-packages/broken.py").write_text("def (")
    assert errors_in(model, model) == []
    (archive / "lib/python3.12").rename(archive / "lib/python3.10")
    assert errors_in(model, model) == ["SW263 config.pbtxt:20"]
    (model / "triton_python_backend_stub").touch()  # one of its own, for that Python
    assert errors_in(model, model) == []


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    with pytest.raises(SlipwayError, match="no Triton model in it") as error:
        find_foreign_models(tmp_path, SETTINGS)
    assert error.value.where == str(tmp_path)


def test_nothing_of_a_repository_is_changed(tmp_path: Path) -> None:
    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    for name in foreign_repositories.names():
        foreign_repositories.make(name, tmp_path)
    before = contents()
    assert findings_in(tmp_path)
    assert contents() == before


def test_the_newest_release_is_the_newest_of_awss_images() -> None:
    table = json.loads((ROOT / "ci/infra/tritonserver.json").read_text())
    assert max(table["versions"]) == NEWEST_RELEASE
    assert SETTINGS.triton_release == NEWEST_RELEASE
    assert not SETTINGS.explicit_tensors
