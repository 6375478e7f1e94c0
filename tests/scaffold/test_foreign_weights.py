"""Files of frameworks where ``slipway weights add`` and ``adopt`` meet them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slipway.adopt.adopt import Adoption, adopt
from slipway.adopt.plan import plan_adoption
from slipway.cli import main
from slipway.cli.progress import working
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.scaffold.graphs import doubler

FOREST = Path(__file__).parent / "fixtures" / "survival.ubj"
ABOUT = "an XGBoost model of 3.4.1, 5 trees, binary:logistic"


def version_directory(root: Path, backend: str) -> Path:
    """Return the version directory of a model with this backend."""
    version = root / "models" / "sample" / "sample_inferencer" / "1"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(f'backend: "{backend}"\n')
    return version


@pytest.mark.parametrize(
    ("backend", "name", "note"),
    [
        ("onnxruntime", "model.ubj", "slipway new sample_inferencer --from {}"),
        ("python", "model.ubj", ""),
        ("fil", "xgboost.ubj", ""),
    ],
)
def test_added_weights_are_named_as_what_they_are(
    backend: str, name: str, note: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = version_directory(settings.root, backend) / name
    shutil.copyfile(FOREST, file)
    assert main(["weights", "add", str(file)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{file}.dvc\n"
    if note:
        assert f"{file}: {ABOUT}, which this model does not open" in said.err
    assert note.format(file) in said.err and (said.err == "") == (note == "")


def test_a_graph_of_another_backend_is_named_with_the_one_that_opens_it(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = version_directory(settings.root, "fil") / "graph.onnx"
    doubler(file, ["N", 3])
    assert main(["weights", "add", str(file)]) == 0
    assert "--from" in capsys.readouterr().err
    (file.parent.parent / "config.pbtxt").write_text('backend: "onnxruntime"\n')
    assert main(["weights", "add", str(file)]) == 0
    assert capsys.readouterr().err == ""


def test_another_format_under_the_name_of_a_graph_is_refused_and_the_fix_is_a_command(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = version_directory(settings.root, "onnxruntime") / "model.onnx"
    shutil.copyfile(FOREST, file)
    assert main(["weights", "add", str(file)]) == 1
    error = capsys.readouterr().err
    assert f"not ONNX, but {ABOUT}" in error
    assert f"fix: slipway new sample_inferencer --from {file}" in error
    assert not file.with_name("model.onnx.dvc").exists()


def test_a_repository_of_weights_alone_is_refused_with_the_command_that_takes_them(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "theirs" / "churn" / "1" / "model.ubj"
    file.parent.mkdir(parents=True)
    shutil.copyfile(FOREST, file)
    with pytest.raises(SlipwayError) as refused:
        plan_adoption(tmp_path / "theirs", None, settings)
    assert refused.value.what == f"no Triton model in it, but churn/1/model.ubj is {ABOUT}"
    assert refused.value.fix == f"slipway new churn --from {file}"


def test_adopted_weights_that_the_backend_does_not_open_are_a_step(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "theirs" / "churn" / "1" / "model.ubj"
    file.parent.mkdir(parents=True)
    shutil.copyfile(FOREST, file)
    (file.parent.parent / "config.pbtxt").write_text('backend: "onnxruntime"\n')
    plan = plan_adoption(tmp_path / "theirs", None, settings)
    steps = adopt(plan, Adoption(settings, working, record=False))[0].steps
    step = next(step for step in steps if step.where == "models/churn/churn/1/model.ubj")
    assert step.what == f"{ABOUT}, which the backend 'onnxruntime' does not open"
    assert step.fix.startswith(f"rm -r models/churn, then slipway new churn --from {file}")
