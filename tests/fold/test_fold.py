"""A model is folded whole, or stays as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from click.testing import CliRunner

from slipway import settings
from slipway.cli.develop.fold import fold
from slipway.errors import SlipwayError
from slipway.fold.plan import make_plan
from slipway.fold.write import graph_file, written
from slipway.model.folded import load_fold, why_old
from slipway.model.folder import read_model_folder
from slipway.model.weights import Weights
from tests.fold.steps import POSTPROCESSING, write_owl

SETTINGS = '[release]\nstore = "store"\n'
RAN_OUT = "the disk is full"


@pytest.fixture
def owl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a model in a repository of its own."""
    (tmp_path / "slipway.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    return write_owl(tmp_path)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def run(*words: str) -> str:
    result = CliRunner().invoke(fold, words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def answer(folder: Path, pixels: object, problem: list[bytes]) -> dict[str, object]:
    session = ort.InferenceSession(str(folder / "owl_inferencer/1/model.onnx"))
    feed = {
        "PIXELS": np.asarray(pixels, np.float32),
        "PROBLEM": np.array([[text.decode()] for text in problem], dtype=object),
    }
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


def test_a_folded_model_answers_labels_from_its_graph(owl: Path) -> None:
    out = run("owl", "--no-test")
    assert "owl_postprocessing → owl_inferencer/1/model.onnx: " in out
    assert "40 requests answered alike by code and graph, the same digits" in out
    model = read_model_folder(owl)
    assert model.composing == ("owl_preprocessing", "owl_inferencer")
    answered = answer(owl, [[1, 0, 0, 0], [0, 0, 3, 0]], [b"", b"too dark"])
    assert answered["LABEL"].tolist()[1] == [""]  # type: ignore[attr-defined]
    assert answered["LABEL"].tolist()[0][0] in ("cat", "dog", "owl")  # type: ignore[attr-defined]
    assert answered["SCORE"].tolist()[1] == [-1]  # type: ignore[attr-defined]


def test_comments_stay_and_a_passed_tensor_takes_no_way_through_the_graph(owl: Path) -> None:
    run("owl", "--no-test")
    pipeline = (owl / "owl_pipeline/config.pbtxt").read_text()
    assert "# the network" in pipeline
    assert 'output_map { key: "PROBLEM" value: "ERROR" }' in pipeline
    assert "owl_postprocessing" not in pipeline
    config = (owl / "owl_inferencer/config.pbtxt").read_text()
    assert config.startswith("# by hand\n")
    assert "ERROR" not in config


def test_a_dry_run_writes_nothing(owl: Path) -> None:
    before = snapshot(owl)
    out = run("owl", "--dry-run")
    assert "models/owl/owl_pipeline/config.pbtxt:" in out
    assert snapshot(owl) == before


def test_undo_brings_everything_back(owl: Path) -> None:
    before = snapshot(owl)
    run("owl", "--no-test")
    assert snapshot(owl) != before
    run("owl", "--undo")
    assert snapshot(owl) == before


def test_an_error_while_it_is_tested_puts_everything_back(owl: Path) -> None:
    before = snapshot(owl)
    configured = settings.load(owl)
    store = Weights(configured.root)
    plan = make_plan(owl, configured, lambda file: graph_file(file, store, owl))
    with pytest.raises(SlipwayError, match=RAN_OUT), written(owl, plan, store):
        assert not (owl / "owl_postprocessing").exists()
        raise SlipwayError(RAN_OUT)
    assert snapshot(owl) == before


def test_it_is_folded_again_when_its_sources_change_and_only_then(owl: Path) -> None:
    run("owl", "--no-test")
    first = snapshot(owl)
    assert "folded already" in run("owl", "--no-test")
    assert snapshot(owl) == first
    code = owl / "folded/owl_postprocessing/1/model.py"
    code.write_text(code.read_text().replace('b"cat"', 'b"lynx"'))
    assert why_old(owl, load_fold(owl)) == (
        "folded/owl_postprocessing/1/model.py has changed since it was folded"
    )
    run("owl", "--no-test")
    assert why_old(owl, load_fold(owl)) is None
    again = snapshot(owl)
    changed = {name for name in first if again[name] != first[name]}
    assert changed == {
        "folded/fold.json",
        "folded/owl_postprocessing/1/model.py",
        "owl_inferencer/1/model.onnx",
    }
    code.write_text(code.read_text().replace('b"lynx"', 'b"cat"'))
    run("owl", "--no-test")
    assert snapshot(owl) == first


def test_a_graph_that_was_replaced_by_hand_is_found(owl: Path) -> None:
    run("owl", "--no-test")
    graph = owl / "folded/owl_inferencer/1/model.onnx"
    (owl / "owl_inferencer/1/model.onnx").write_bytes(graph.read_bytes())
    record = load_fold(owl)
    assert why_old(owl, record) == "owl_inferencer/1/model.onnx is not what was folded"


def test_a_step_that_passes_tensors_on_goes_and_no_weights_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slipway.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    owl = write_owl(tmp_path)
    step = owl / "owl_postprocessing"
    for file in (step / "config.pbtxt", owl / "owl_pipeline/config.pbtxt"):
        text = file.read_text()
        scores = text.replace(
            'output {\n  name: "SCORE"\n  data_type: TYPE_FP32\n  dims: [1]',
            'output {\n  name: "SCORE"\n  data_type: TYPE_FP32\n  dims: [3]',
        )
        label = 'output {\n  name: "LABEL"\n  data_type: TYPE_STRING\n  dims: [1]\n}\n'
        mapped = '    output_map { key: "LABEL" value: "LABEL" }\n'
        file.write_text(scores.replace(label, "").replace(mapped, ""))
    code = (step / "1/model.py").read_text()
    body = "        SCORE, ERROR = RAW, PROBLEM\n"
    first = code.index("        bad = ")
    last = code.index("        return pb_utils.Inf")
    code = code[:first] + body + code[last:].replace('pb_utils.Tensor("LABEL", LABEL), ', "")
    (step / "1/model.py").write_text(code)
    weights = (owl / "owl_inferencer/1/model.onnx").read_bytes()
    out = run("owl", "--no-test")
    assert "owl_postprocessing passes its tensors on, and goes; no weights change" in out
    assert not step.exists()
    assert not (owl / "folded").exists()
    assert (owl / "owl_inferencer/1/model.onnx").read_bytes() == weights
    assert read_model_folder(owl).composing == ("owl_preprocessing", "owl_inferencer")


def test_a_release_of_triton_that_compares_no_strings_is_refused(owl: Path) -> None:
    (Path("slipway.toml")).write_text(SETTINGS + '[triton]\nrelease = "23.03"\n')
    before = snapshot(owl)
    with pytest.raises(SlipwayError, match="takes opset 18 at most") as refused:
        run("owl", "--no-test")
    assert "23.05" in str(refused.value.fix)
    assert snapshot(owl) == before


def test_a_model_without_a_step_to_fold_says_so(owl: Path) -> None:
    run("owl", "--no-test")
    shutil.rmtree(owl / "folded")
    with pytest.raises(SlipwayError, match="no Python model comes last"):
        make_plan(owl, settings.load(owl), lambda file: file)


def test_a_newer_opset_stays_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnx

    (tmp_path / "slipway.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    owl = write_owl(tmp_path, POSTPROCESSING, opset=21)
    run("owl", "--no-test")
    model = onnx.load(str(owl / "owl_inferencer/1/model.onnx"))
    assert [entry.version for entry in model.opset_import] == [21]
