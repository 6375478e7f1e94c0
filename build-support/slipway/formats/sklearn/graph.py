"""A scikit-learn model as an ONNX graph, with its tensors named and shaped for Triton."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.format import Options, Tensor
from slipway.formats.graphs.limits import lower
from slipway.formats.sklearn.column import Column
from slipway.formats.sklearn.columns import WIDE, takes_columns
from slipway.formats.sklearn.others import register_others
from slipway.formats.sklearn.repairs import repair
from slipway.formats.sklearn.results import Result, results
from slipway.formats.sklearn.steps import final
from slipway.formats.sklearn.tensors_of_graph import (
    drop_unused_inputs,
    join_columns,
    name_inputs,
    name_outputs,
)
from slipway.formats.sklearn.words import (
    graph_options,
    lower_beyond_ascii,
    repaired_words,
    sublinear,
)

OPSET = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 8
PYTHON = "serve it as a Python model, which is exact: --backend python"


@dataclass(frozen=True)
class Graph:
    """An ONNX model, the names that clients use for its outputs, and what was put right."""

    model: Any
    outputs: tuple[Tensor, ...]
    repairs: tuple[str, ...]


def to_graph(model: Any, columns: list[Column], separate: bool, options: Options) -> Graph:
    """Return the graph of ``model``.

    Raises:
        SlipwayError: skl2onnx has no converter for a part of it, or for its types.
    """
    repaired = repair(model)
    register_others()
    chosen: dict[int, dict[str, Any]] = graph_options(repaired.model, options.settings)
    last = final(repaired.model)
    kinds = results(model)
    if wanted := _plain_answers(last, kinds):
        chosen.setdefault(id(last), {}).update(wanted)
    joined = separate and not takes_columns(model)
    graph = _convert(repaired.model, _types(columns, separate and not joined), chosen)
    made = [*repaired.repairs, *repaired_words(repaired.model)]
    made += lower_beyond_ascii(graph, repaired.model)
    made += sublinear(graph, repaired.model)
    outputs = name_outputs(graph, kinds)
    if joined:
        join_columns(graph, [column.name for column in columns])
    elif separate:
        name_inputs(graph, [column.name for column in columns])
    drop_unused_inputs(graph)
    graph.ir_version = min(graph.ir_version, IR_VERSION)
    made += lower(graph, options.triton)
    return Graph(graph, outputs, tuple(dict.fromkeys(made)))


def _plain_answers(last: Any, kinds: tuple[Result, ...]) -> dict[str, Any]:
    """Return the options that make a classifier answer with tensors: no maps, raw scores."""
    from skl2onnx._supported_operators import sklearn_operator_name_map
    from skl2onnx.common._registration import get_converter

    try:
        allowed = get_converter(sklearn_operator_name_map[type(last)]).get_allowed_options()
    except (KeyError, ValueError):  # no converter at all: the conversion says so
        return {}
    wanted: dict[str, Any] = {"zipmap": False}
    if len(kinds) > 1 and kinds[1].name == "score":
        wanted["raw_scores"] = True
    return {name: value for name, value in wanted.items() if name in (allowed or {})}


def _types(columns: list[Column], separate: bool) -> list[tuple[str, Any]]:
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    types = {"FP32": FloatTensorType, "INT64": Int64TensorType, "BYTES": StringTensorType}
    if separate:
        return [(column.name, types[column.datatype]([None, 1])) for column in columns]
    return [(WIDE, types[columns[0].datatype]([None, len(columns)]))]


def _convert(model: Any, types: list[tuple[str, Any]], chosen: dict[int, dict[str, Any]]) -> Any:
    from skl2onnx import convert_sklearn

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return convert_sklearn(
                model, initial_types=types, options=chosen, target_opset=OPSET, name="model"
            )
    except Exception as error:  # skl2onnx raises any type, and long texts
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise SlipwayError(f"skl2onnx cannot convert it: {said}", fix=PYTHON) from error
