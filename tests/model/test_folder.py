"""Reading a model folder: what is right, and one fixture folder for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.model.folder import read_model_folder

FOLDERS = Path(__file__).parents[1] / "fixtures" / "folders"


def test_the_ensemble_is_served_and_its_steps_come_in_order() -> None:
    model = read_model_folder(FOLDERS / "good")
    assert (model.name, model.version, model.ensemble) == ("good", "1.0.0", "good_pipeline")
    assert model.composing == ("good_step",)
    assert model.models == ("good_step", "good_pipeline")
    assert model.artifact_name == "good_1.0.0.tar.gz"


def test_a_folder_with_one_model_serves_that() -> None:
    model = read_model_folder(FOLDERS / "single")
    assert (model.ensemble, model.composing, model.models) == ("single", (), ("single",))


@pytest.mark.parametrize(
    ("folder", "where", "what"),
    [
        ("version_is_no_semantic_version", "model_version.txt:1", "'v1' is not a semantic version"),
        ("version_is_missing", "model_version.txt", "no such file"),
        ("no_model", "no_model", "no model in it"),
        ("step_is_missing", "pipeline/config.pbtxt", "step 1: no model 'tokeniser'"),
        ("two_ensembles", "two_ensembles", "2 ensembles"),
        ("two_models_and_no_ensemble", "two_models_and_no_ensemble", "no ensemble"),
        ("name_is_another", "one/config.pbtxt", "its name is 'other'"),
        ("field_is_misspelled", "one/config.pbtxt:3:19", "data_tpe"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_fix(folder: str, where: str, what: str) -> None:
    with pytest.raises(SlipwayError) as caught:
        read_model_folder(FOLDERS / folder)
    assert caught.value.where is not None and caught.value.where.endswith(where)
    assert what in caught.value.what
    assert caught.value.fix
