"""What NVIDIA's ONNX Runtime backend refuses or answers wrongly, ``slipway check`` finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check import check
from slipway.settings import Settings
from tests.server import native_cases

SEQUENCE = """sequence_batching {
  control_input { name: "C" control [ { kind: %s } ] }
}"""


def _found(folder: Path) -> list[str]:
    findings = check([folder], Settings(root=folder.parent))
    return sorted({finding.rule for finding in findings if finding.severity == "error"})


@pytest.mark.parametrize("name", native_cases.names())
def test_a_case_is_found_by_its_rules_and_by_no_other(name: str, tmp_path: Path) -> None:
    case = native_cases.load(name)
    folder = native_cases.make(name, tmp_path / "models")
    (folder / "model_version.txt").write_text("1.0.0\n", encoding="utf-8")
    assert _found(folder) == sorted(case.rules)


@pytest.mark.parametrize(
    ("shape", "data_type", "kind", "rules"),
    [
        ("[N,1]", "float", "CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ]", []),
        ("[N,1]", "float", "CONTROL_SEQUENCE_END int32_false_true: [ 0, 1 ]", ["SW309"]),
        ("[N,1]", "uint64", "CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64", []),
        ("[N,1]", "int64", "CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64", ["SW309"]),
        ("[N,2]", "float", "CONTROL_SEQUENCE_READY fp32_false_true: [ 0, 1 ]", ["SW310"]),
        ("[N]", "float", "CONTROL_SEQUENCE_READY fp32_false_true: [ 0, 1 ]", ["SW310"]),
        ("[2,1]", "float", "CONTROL_SEQUENCE_READY fp32_false_true: [ 0, 1 ]", ["SW311"]),
    ],
)
def test_a_control_has_to_be_of_the_graphs_type_and_one_number_a_row(
    shape: str, data_type: str, kind: str, rules: list[str], tmp_path: Path
) -> None:
    graph = f"""g (float[N,1] X, {data_type}{shape} C) => (float[N,1] Y, {data_type}{shape} D) {{
        Y = Identity (X)
        D = Identity (C)
    }}"""
    config = """input { name: "X" data_type: TYPE_FP32 dims: 1 }
    output { name: "Y" data_type: TYPE_FP32 dims: 1 }"""
    folder = native_cases.write(tmp_path / "models" / "m", graph, f"{config}\n{SEQUENCE % kind}")
    (folder / "model_version.txt").write_text("1.0.0\n", encoding="utf-8")
    assert _found(folder) == rules


@pytest.mark.parametrize(
    ("graph", "batch", "rules"),
    [
        ("g (float[T] X) => (float[T] Y) { Y = Neg (X) }", 4, []),
        ("g (float[N, 1] X) => (float[N, 1] Y) { Y = Neg (X) }", 4, ["SW310"]),
        ("g (float[R, 2] X) => (float[R, 2] Y) { Y = Neg (X) }", 0, ["SW310"]),
    ],
)
def test_a_ragged_input_is_one_row_in_the_graph(
    graph: str, batch: int, rules: list[str], tmp_path: Path
) -> None:
    """ValidateInputs of onnxruntime.cc: also of a model without batches."""
    dims = "[ -1 ]" if batch else "[ -1, 2 ]"
    scattered = 'batch_output { target_name: "Y" kind: BATCH_SCATTER_WITH_INPUT_SHAPE'
    config = f"""input {{ name: "X" data_type: TYPE_FP32 dims: {dims} allow_ragged_batch: true }}
    output {{ name: "Y" data_type: TYPE_FP32 dims: {dims} }}
    {scattered} source_input: "X" }}"""
    folder = native_cases.write(tmp_path / "models" / "m", graph, config)
    text = folder / "m" / "config.pbtxt"
    text.write_text(text.read_text().replace("max_batch_size: 4", f"max_batch_size: {batch}"))
    (folder / "model_version.txt").write_text("1.0.0\n", encoding="utf-8")
    assert _found(folder) == rules


def test_a_state_has_to_be_of_the_graphs_type(tmp_path: Path) -> None:
    graph = """g (float[N,1] X, float[N,1] SI) => (float[N,1] Y, float[N,1] SO) {
        Y = Identity (X)
        SO = Identity (SI)
    }"""
    config = """input { name: "X" data_type: TYPE_FP32 dims: 1 }
    output { name: "Y" data_type: TYPE_FP32 dims: 1 }
    sequence_batching {
      state { input_name: "SI" output_name: "SO" data_type: TYPE_INT32 dims: 1 }
    }"""
    folder = native_cases.write(tmp_path / "models" / "m", graph, config)
    (folder / "model_version.txt").write_text("1.0.0\n", encoding="utf-8")
    assert _found(folder) == ["SW309"]


@pytest.mark.parametrize(
    ("dims", "shape", "rules"),
    [
        ("[ 2 ]", "[N, 2]", []),
        ("[ 2 ]", "[N, M]", []),
        ("[ 1, 2 ]", "[N, 2]", ["SW310"]),
        ("[ 3 ]", "[N, 2]", ["SW310"]),
        ("[ 2 ]", "[2, 2]", ["SW311"]),
    ],
)
def test_a_state_has_to_be_of_the_graphs_shape(
    dims: str, shape: str, rules: list[str], tmp_path: Path
) -> None:
    graph = f"""g (float[N,1] X, float{shape} SI) => (float[N,1] Y, float{shape} SO) {{
        Y = Identity (X)
        SO = Identity (SI)
    }}"""
    config = f"""input {{ name: "X" data_type: TYPE_FP32 dims: 1 }}
    output {{ name: "Y" data_type: TYPE_FP32 dims: 1 }}
    sequence_batching {{
      state {{ input_name: "SI" output_name: "SO" data_type: TYPE_FP32 dims: {dims} }}
    }}"""
    folder = native_cases.write(tmp_path / "models" / "m", graph, config)
    (folder / "model_version.txt").write_text("1.0.0\n", encoding="utf-8")
    assert _found(folder) == rules
