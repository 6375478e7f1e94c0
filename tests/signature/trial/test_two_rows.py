"""What a graph declares must hold for two rows, too."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import helper

from slipway.check import check_folder
from slipway.check.model_repository import ModelRepository
from slipway.errors import SlipwayError
from slipway.scaffold import from_onnx
from slipway.settings import Settings
from slipway.signature.trial.batching import why_no_batches
from slipway.signature.trial.graph import read_graph
from slipway.signature.trial.outcome import TwoRows
from slipway.signature.trial.remembered import two_rows_of
from slipway.signature.trial.two_rows import declaration_fix, try_two_rows
from tests.scaffold.graphs import doubler, node, save, tensor

# exported from LightGBM with onnxmltools: its label is declared [1], and has a row for each row
LABEL = Path(__file__).parent / "fixtures" / "one_row_label.onnx"
WRONG = "output 'label' is declared [1], and has the shape [2] for two rows"
CONFIG = """
name: "rows"
backend: "onnxruntime"
max_batch_size: 0
input { name: "input" data_type: TYPE_FP32 dims: [ %s, 30 ] }
output { name: "label" data_type: TYPE_INT64 dims: [ 1 ] }
output { name: "probabilities" data_type: TYPE_FP32 dims: [ -1, 2 ] }
parameters { key: "intra_op_thread_count" value { string_value: "1" } }
"""


def one_row_inside(file: Path) -> Path:
    """A graph that shapes its result as one row, and does not declare it."""
    zero, one_row = (
        helper.make_node("Constant", [], [name], value_ints=values)
        for name, values in (("zero", [0, 0]), ("one", [1, 3]))
    )
    nodes = [zero, one_row, node("Shape", ["X"], ["s"]), node("Mul", ["s", "zero"], ["z"])]
    nodes += [node("Add", ["z", "one"], ["shape"]), node("Reshape", ["X", "shape"], ["Y"])]
    return save(file, nodes, [tensor("X", ["N", 3])], [tensor("Y", ["N", 3])])


def run_fix(command: str) -> None:
    """Run what a fix says, as a reader does."""
    shell = command.removeprefix("declare it as it is: ").replace("python -c", "$PYTHON -c", 1)
    subprocess.run(["sh", "-c", shell], check=True, env={"PYTHON": sys.executable})


def test_an_output_that_is_declared_wrongly_is_named_with_both_shapes() -> None:
    trial = try_two_rows(read_graph(LABEL))
    assert trial is not None and str(trial) == WRONG


def test_the_fix_of_a_wrong_declaration_works(tmp_path: Path) -> None:
    file = tmp_path / "it's one.onnx"
    shutil.copyfile(LABEL, file)
    with pytest.raises(SlipwayError, match="is declared") as refused:
        from_onnx.derive(file)
    assert refused.value.what.startswith(WRONG)
    run_fix(str(refused.value.fix))
    derived = from_onnx.derive(file)
    assert derived.steps.max_batch_size == 16 and derived.no_batches is None
    assert try_two_rows(read_graph(file)) == TwoRows()


def test_a_wrong_declaration_is_refused_without_batches_too() -> None:
    with pytest.raises(SlipwayError, match="every request with more would fail"):
        from_onnx.derive(LABEL, 0)


def test_an_output_with_another_number_of_dimensions_has_a_fix_in_words(tmp_path: Path) -> None:
    trial = try_two_rows(read_graph(LABEL))
    assert trial is not None
    wrong = type(trial.wrong[0])("Y", 0, (1,), (2, 1))
    assert declaration_fix(tmp_path, wrong) == "export the graph with 2 dimensions for output 'Y'"


def test_a_graph_that_fails_for_two_rows_says_why(tmp_path: Path) -> None:
    graph = read_graph(one_row_inside(tmp_path / "m.onnx"))
    trial = try_two_rows(graph)
    assert trial is not None and trial.error is not None and "Reshape" in trial.error
    assert why_no_batches(graph) == str(trial)
    assert str(trial).startswith("the graph answers one row, and fails for two: ")


@pytest.mark.parametrize("shape", [["N", 3], [None], ["A", "B"]])
def test_graphs_that_answer_two_rows_are_right(
    tmp_path: Path, shape: list[int | str | None]
) -> None:
    assert try_two_rows(read_graph(doubler(tmp_path / "m.onnx", shape))) == TwoRows()


def test_graphs_with_a_fixed_first_size_take_no_two_rows(tmp_path: Path) -> None:
    assert try_two_rows(read_graph(doubler(tmp_path / "m.onnx", [1, 3]))) is None


@pytest.mark.parametrize(
    ("operator", "output", "reason"),
    [
        (
            node("Softmax", ["X"], ["Y"], axis=0),
            tensor("Y", ["N", 3]),
            "a row of output 'Y' depends on the other rows",
        ),
        (
            node("Concat", ["X", "X"], ["Y"], axis=0),
            tensor("Y", [None, 3]),
            "output 'Y' has the shape [4, 3] for two rows, and [2, 3] for one",
        ),
        (
            node("ReduceMean", ["X"], ["Y"], keepdims=0),
            tensor("Y", []),
            "output 'Y' has no dimensions in the graph, no free first one",
        ),
        (
            node("ReduceMean", ["X"], ["Y"], axes=[0]),
            tensor("Y", [1, 3]),
            "output 'Y' has the shape [1, 3] in the graph, no free first one",
        ),
    ],
)
def test_a_graph_without_batches_has_its_reason(
    tmp_path: Path, operator: onnx.NodeProto, output: onnx.ValueInfoProto, reason: str
) -> None:
    file = save(tmp_path / "m.onnx", [operator], [tensor("X", ["N", 3])], [output])
    derived = from_onnx.derive(file)
    assert derived.steps.max_batch_size == 0
    assert derived.no_batches == reason
    with pytest.raises(SlipwayError) as refused:
        from_onnx.derive(file, 4)
    assert reason in refused.value.what


def test_a_trial_is_remembered_by_the_weights_content(
    tmp_path: Path, slipway_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = two_rows_of(LABEL)
    assert first is not None and str(first) == WRONG
    fixed = one_row_inside(tmp_path / "m.onnx")
    other = two_rows_of(fixed)
    assert other is not None and other.error is not None
    monkeypatch.setattr("slipway.signature.trial.two_rows.try_two_rows", None)
    assert two_rows_of(LABEL) == first and two_rows_of(fixed) == other
    (tmp_path / "text.onnx").write_text("no graph")
    assert two_rows_of(tmp_path / "text.onnx") is None


@pytest.mark.parametrize(("rows", "found"), [("-1", True), ("1", False)])
def test_check_names_the_declaration_where_the_config_allows_two_rows(
    tmp_path: Path, slipway_cache: Path, rows: str, found: bool
) -> None:
    (tmp_path / "slipway.toml").touch()
    model = tmp_path / "models" / "rows" / "rows"
    (model / "1").mkdir(parents=True)
    shutil.copyfile(LABEL, model / "1" / "model.onnx")
    (model / "config.pbtxt").write_text(CONFIG % rows, encoding="utf-8")
    findings = check_folder(model.parent, ModelRepository(Settings(root=tmp_path)))
    hits = [finding for finding in findings if finding.rule == "SW329"]
    assert [hit.what for hit in hits] == ([WRONG] if found else [])
    if hits:
        run_fix(str(hits[0].fix))
        findings = check_folder(model.parent, ModelRepository(Settings(root=tmp_path)))
        assert "SW329" not in {finding.rule for finding in findings}
