"""What a finding proposes works when it is followed, and does not contradict another finding."""

from __future__ import annotations

import shutil
from pathlib import Path
from string import Template

import pytest

from slipway.check import Finding, check
from slipway.check.unfilled import find_templates
from tests.check import fixture_repositories as repositories
from tests.check.fixture_repositories import find_all, format_findings

PIPELINE = "models/sound/sound_pipeline"
PREPROCESSING = "models/sound/sound_preprocessing/config.pbtxt"


def only_finding(root: Path) -> Finding:
    (finding,) = find_all(root)
    return finding


def replace(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("SW201_template_in_a_number", {"triton_max_batch_size": "8"}),
        ("SW261_parameter_not_filled", {"tokenizer_dir": "/models/tokenizer"}),
        ("SW260_backend_not_filled", {"triton_backend": "onnxruntime"}),
    ],
)
def test_a_template_is_filled_as_the_finding_says(
    name: str, values: dict[str, str], tmp_path: Path
) -> None:
    repositories.make(name, tmp_path)
    finding = only_finding(tmp_path)
    (variable,) = values
    assert f"${{{variable}}} was not filled" in finding.what
    assert f"fill_template.py -i {finding.location.file} {variable}:VALUE" in finding.fix
    text = finding.location.file.read_text()
    finding.location.file.write_text(Template(text).safe_substitute(values))
    assert find_all(tmp_path) == []


def test_each_variable_is_named_once_at_its_first_line(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    replace(tmp_path / PREPROCESSING, "max_batch_size: 8", "max_batch_size: ${size}")
    with (tmp_path / PREPROCESSING).open("a") as file:
        file.write("dynamic_batching { preferred_batch_size: [ ${size}, ${half} ] }\n")
    findings = [finding for finding in find_all(tmp_path) if finding.rule == "SW201"]
    assert [(f.location.line, f.what.partition(" was")[0]) for f in findings] == [
        (3, "${size}"),
        (19, "${half}"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "# max_batch_size: ${size}\nmax_batch_size: 8\n",
        'parameters { key: "env" value { string_value: "$$TRITON_MODEL_DIRECTORY/env" } }',
        'parameters { key: "chat" value { string_value: "{{ bos }}{% for m in messages %}x" } }',
        'parameters { key: "json" value { string_value: \'{"a": {"b": 1}}\' } }',
        'parameters { key: "x" value { string_value: "$${escaped}" }}',
    ],
)
def test_what_is_no_template_is_not_taken_for_one(text: str) -> None:
    assert find_templates(text) == []


def test_a_model_that_is_mapped_already_is_not_proposed(tmp_path: Path) -> None:
    repositories.make("SW404_all_inputs_are_mapped", tmp_path)
    finding = only_finding(tmp_path)
    assert finding.fix.startswith("remove the entry")
    config = tmp_path / PIPELINE / "config.pbtxt"
    replace(config, '    input_map { key: "LENGTHS" value: "length" }\n', "")
    assert find_all(tmp_path) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [("TYPE_BYTES", "TYPE_STRING"), ("TYPE_FLOAT32", "TYPE_FP32"), ("float64", "TYPE_FP64")],
)
def test_a_type_of_another_protocol_is_translated(written: str, meant: str, tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    replace(tmp_path / PREPROCESSING, "TYPE_STRING", written)
    (finding,) = [finding for finding in find_all(tmp_path) if finding.rule == "SW201"]
    assert finding.fix == f"did you mean {meant!r}?"


def test_an_exchanged_key_and_value_are_one_finding(tmp_path: Path) -> None:
    repositories.make("SW404_key_and_value_exchanged", tmp_path)
    assert only_finding(tmp_path).fix == 'exchange key and value: key: "FEATURES" value: "features"'


def test_of_two_crossed_inputs_the_finding_says_which_tensor_was_meant(tmp_path: Path) -> None:
    repositories.make("SW421_crossed_inputs", tmp_path)
    finding = only_finding(tmp_path)
    assert finding.fix == (
        "did you mean 'score'? 'SCORE' and 'LENGTH' of step 3 (sound_postprocessing) are crossed"
    )
    config = tmp_path / PIPELINE / "config.pbtxt"
    replace(config, 'value: "length" }\n    input_map { key: "LENGTH" value: "score"', "MEANT")
    replace(config, "MEANT", 'value: "score" }\n    input_map { key: "LENGTH" value: "length"')
    assert find_all(tmp_path) == []


def test_independent_models_get_a_folder_each(tmp_path: Path) -> None:
    """The ones of the fixture call nothing; without their ensemble they are independent."""
    repositories.make("SW105_no_ensemble", tmp_path)
    finding = only_finding(tmp_path)
    assert finding.fix.startswith("give each model a folder of its own")
    models = tmp_path / "models"
    for name in ("sound_inferencer", "sound_postprocessing", "sound_preprocessing"):
        (models / name).mkdir()
        shutil.move(models / "sound" / name, models / name / name)
        for file in ("model_version.txt", "requirements.txt", "requirements.lock"):
            shutil.copyfile(models / "sound" / file, models / name / file)
        findings = check([models / name], repositories.load_settings(tmp_path))
        assert [f.rule for f in findings if f.severity == "error"] == []


def test_models_that_call_each_other_get_an_ensemble(tmp_path: Path) -> None:
    repositories.make("SW541_misspelled_model", tmp_path)
    shutil.rmtree(tmp_path / PIPELINE)
    code = tmp_path / "models/sound/sound_postprocessing/1/model.py"
    replace(code, 'model_name="sound_scorer_1_0"', 'model_name="sound_inferencer"')
    (finding,) = [finding for finding in find_all(tmp_path) if finding.rule == "SW105"]
    assert finding.fix.startswith("add an ensemble whose step is sound_postprocessing")


def test_a_config_too_deep_is_moved_and_nothing_else_is_said(tmp_path: Path) -> None:
    repositories.make("SW130_config_in_the_version", tmp_path)
    finding = only_finding(tmp_path)
    target = tmp_path / "models/sound/sound_inferencer/config.pbtxt"
    assert finding.fix == f"move it to {target}"
    finding.location.file.rename(target)
    assert find_all(tmp_path) == []


def test_all_configs_too_deep_are_one_mistake_each(tmp_path: Path) -> None:
    """Neither is a model missing, nor a version directory a wrapper around models."""
    repositories.make("good", tmp_path)
    for config in (tmp_path / "models/sound").glob("*/config.pbtxt"):
        config.parent.joinpath("1").mkdir(exist_ok=True)
        config.rename(config.parent / "1/config.pbtxt")
    assert {finding.rule for finding in find_all(tmp_path)} == {"SW130"}


def test_an_ensemble_that_does_not_parse_lacks_no_version_directory(tmp_path: Path) -> None:
    repositories.make("SW201_ensemble_not_parsed", tmp_path)
    assert not (tmp_path / PIPELINE / "1").exists()
    assert format_findings(find_all(tmp_path), tmp_path) == [f"SW201 {PIPELINE}/config.pbtxt:3:17"]


def test_an_ensemble_that_is_not_utf_8_lacks_no_version_directory(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    config = tmp_path / PIPELINE / "config.pbtxt"
    config.write_bytes("# Stück\n".encode("latin-1") + config.read_bytes())
    assert format_findings(find_all(tmp_path), tmp_path) == [f"SW201 {PIPELINE}/config.pbtxt"]


def test_a_folder_in_place_of_a_config_is_said_to_be_one(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    (tmp_path / PREPROCESSING).unlink()
    (tmp_path / PREPROCESSING).mkdir()
    findings = [finding for finding in find_all(tmp_path) if finding.rule == "SW201"]
    assert [finding.what for finding in findings] == ["it cannot be read: Is a directory"]


def test_a_python_model_under_another_backend_is_of_the_python_backend(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    replace(tmp_path / PREPROCESSING, 'backend: "python"', 'backend: "onnxruntime"')
    findings = [finding for finding in find_all(tmp_path) if finding.rule == "SW321"]
    assert [finding.fix.partition(",")[0] for finding in findings] == ['backend: "python"']
    replace(tmp_path / PREPROCESSING, 'backend: "onnxruntime"', 'backend: "python"')
    assert find_all(tmp_path) == []
