"""A folded model on a real server, and after a training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from dvc.repo import Repo

from slipway import settings as loading
from slipway import signature
from slipway.check import check
from slipway.fold.plan import make_plan
from slipway.fold.write import graph_file, written
from slipway.model.folded import FOLDER, load_fold, why_old
from slipway.model.pointer import load_pointer
from slipway.model.weights import Weights
from slipway.pipeline.retraining.candidate import place_candidates
from slipway.scaffold import from_template
from slipway.settings import Settings
from slipway.testing import run
from slipway.training.run import DataFile, Stage, TrainingRun
from tests.fold.steps import network, write_owl
from tests.scaffold import serving

TOML = Path(__file__).parents[1] / "check" / "fixtures" / "good" / "slipway.toml"
REMOTE = """[core]
    no_scm = True
    analytics = false
    remote = there
['remote "there"']
    url = {}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a repository under DVC, without models."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "slipway.toml").write_text(TOML.read_text())
    Repo.init(str(root), no_scm=True).close()
    (root / ".dvc" / "config").write_text(REMOTE.format(tmp_path / "remote"))
    return loading.load(root)


def fold(folder: Path, settings: Settings) -> None:
    store = Weights(settings.root)
    plan = make_plan(folder, settings, lambda file: graph_file(file, store, folder / "scratch"))
    with written(folder, plan, store):
        pass


def test_a_folded_sample_has_no_findings_and_passes_its_own_tests_on_a_real_server(
    settings: Settings, tmp_path: Path
) -> None:
    folder = from_template.write("sample", "image", settings)
    fold(folder, settings)
    assert check([folder], settings) == []
    packed = serving.artifact(folder, serving.environment(tmp_path / "environment"))
    assert run.run(folder, settings.root, artifact=packed) == 0


def test_a_retrained_model_is_folded_again(settings: Settings) -> None:
    root, store = settings.root, Weights(settings.root)
    owl = write_owl(root)
    (root / ".dvcignore").touch()
    signature.add_weights(owl / "owl_inferencer/1/model.onnx", store)
    fold(owl, settings)
    first = load_fold(owl)
    target = f"{FOLDER}/owl_inferencer/1/model.onnx"
    (owl / "training.toml").write_text(f'[weights]\n"training/model.onnx" = "{target}"\n')
    trained = network()
    trained.doc_string = "trained again"
    candidate = owl / "training" / "model.onnx"
    candidate.parent.mkdir()
    onnx.save(trained, candidate)
    pointer = store.add(candidate)  # as a stage leaves it in DVC's cache
    pointer.file.unlink()
    out = DataFile("models/owl/training/model.onnx", f"md5:{pointer.md5}", pointer.size)
    made = Stage("models/owl/dvc.yaml:train", "python train.py", (), {}, (out,), "ran")
    ran = TrainingRun(
        id="owl-20261201T000000Z-000001",
        model="owl",
        place="local",
        commit="0" * 40,
        dirty=False,
        started="2026-12-01T00:00:00Z",
        seconds=2.0,
        lock_sha256="0" * 64,
        stages=(made,),
        metrics={},
    )
    assert [placed.changed for placed in place_candidates(root, ran)] == [True]
    again = load_fold(owl)
    assert why_old(owl, again) is None
    assert again.sources["owl_inferencer/1/model.onnx"] == pointer.md5
    assert again.md5 != first.md5
    served = load_pointer(owl / "owl_inferencer/1/model.onnx.dvc")
    assert served.md5 == again.md5
    assert replace(again, md5=first.md5, sources=first.sources) == first
    # a threshold that a stage writes is folded, too, without new weights
    code = owl / FOLDER / "owl_postprocessing/1/model.py"
    code.write_text(code.read_text().replace('b"cat"', 'b"lynx"'))
    assert [placed.changed for placed in place_candidates(root, ran)] == [False]
    assert why_old(owl, load_fold(owl)) is None
    assert json.loads((owl / FOLDER / "fold.json").read_text())["md5"] != again.md5
