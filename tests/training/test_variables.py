"""The variables and folders of a stage, against AWS's own toolkit for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.training.container.folders import ContainerFolders
from slipway.training.variables import stage_variables
from tests.training.toolkit import (
    BASE,
    CHANNELS,
    CPUS,
    FIXTURE,
    JOB,
    MACHINE,
    PARAMETERS,
    lay_out_job,
    lay_out_stages,
)

# of the script that the toolkit itself starts; here a stage's command is what runs
OF_ITS_SCRIPT = {
    "SM_FRAMEWORK_MODULE",
    "SM_MODULE_DIR",
    "SM_MODULE_NAME",
    "SM_TRAINING_ENV",
    "SM_USER_ENTRY_POINT",
}


def test_a_stage_has_the_variables_that_awss_toolkit_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: CPUS)
    folders = lay_out_stages(tmp_path / "ml")
    ours = stage_variables(folders, PARAMETERS, MACHINE)
    ours = {name: text.replace(str(tmp_path / "ml"), BASE) for name, text in ours.items()}
    theirs = json.loads(FIXTURE.read_text())["stages"]
    assert ours == {name: text for name, text in theirs.items() if name not in OF_ITS_SCRIPT}
    assert theirs.keys() >= OF_ITS_SCRIPT


def test_the_folders_of_the_variables_are_those_of_the_model(tmp_path: Path) -> None:
    folders = lay_out_stages(tmp_path / "ml")
    training = tmp_path / "models" / "face" / "training"
    variables = stage_variables(folders, PARAMETERS, MACHINE)
    assert Path(variables["SM_MODEL_DIR"]).resolve() == training / "model"
    assert Path(variables["SM_OUTPUT_DATA_DIR"]).resolve() == training / "output"
    for name in CHANNELS:
        assert Path(variables[f"SM_CHANNEL_{name.upper()}"]).resolve() == training / name


def test_a_container_and_awss_toolkit_read_the_same_from_a_job(tmp_path: Path) -> None:
    base = tmp_path / "ml"
    base.mkdir()
    lay_out_job(base)
    folders = ContainerFolders(base)
    theirs = json.loads(FIXTURE.read_text())["job"]
    assert folders.hyperparameters() == JOB["HyperParameters"]
    assert folders.channels() == json.loads(theirs["SM_CHANNELS"])
    for name in folders.channels():
        assert theirs[f"SM_CHANNEL_{name.upper()}"] == f"{BASE}/input/data/{name}"
        assert folders.channel(name).is_dir()
    assert folders.resources() == json.loads(theirs["SM_RESOURCE_CONFIG"])
    assert theirs["SM_MODEL_DIR"] == f"{BASE}/model"
    for name, text in JOB["HyperParameters"].items():
        value = theirs[f"SM_HP_{name.upper()}"]
        assert value == text
