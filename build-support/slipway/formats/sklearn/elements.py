"""Steps that skl2onnx has no converter for, or none that is exact, with converters of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from slipway.formats.format import Array

FUNCTIONS = ("log1p", "log", "exp", "expm1", "sqrt", "square", "abs", "absolute", "log2", "log10")


class Fill(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted SimpleImputer of numbers: its values put in double precision, with its indicator."""

    def __init__(self, values: Array, indicated: tuple[int, ...], width: int) -> None:
        self.values = values
        self.indicated = indicated
        self.width = width

    @property
    def width_out(self) -> int:
        """Return how many columns leave it."""
        return len(self.values) + len(self.indicated)

    def transform(self, table: Any) -> Any:
        """Fail: it is only converted."""
        raise NotImplementedError


class Elementwise(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A FunctionTransformer of one of numpy's functions, computed in double precision."""

    def __init__(self, function: str, width: int) -> None:
        self.function = function
        self.width = width

    @property
    def width_out(self) -> int:
        """Return how many columns leave it."""
        return self.width

    def transform(self, table: Any) -> Any:
        """Fail: it is only converted."""
        raise NotImplementedError


def as_fill(imputer: Any) -> Fill | None:
    """Return the imputer as a :class:`Fill`; ``None`` if it fills texts or leaves columns out."""
    values = np.asarray(imputer.statistics_)
    if values.dtype.kind not in "fiu" or np.isnan(values.astype(np.float64)).any():
        return None
    if not (isinstance(imputer.missing_values, float) and np.isnan(imputer.missing_values)):
        return None
    indicator = getattr(imputer, "indicator_", None)
    indicated = tuple(int(i) for i in indicator.features_) if indicator is not None else ()
    return Fill(values.astype(np.float64), indicated, len(values))


def as_elementwise(transformer: Any) -> Elementwise | None:
    """Return a FunctionTransformer of one of ``FUNCTIONS``; ``None`` of another."""
    function = transformer.func
    name = getattr(function, "__name__", "")
    if name not in FUNCTIONS or getattr(np, name, None) is not function:
        return None
    if transformer.kw_args or not hasattr(transformer, "n_features_in_"):
        return None
    return Elementwise(name, int(transformer.n_features_in_))


def register_elements() -> None:
    """Let skl2onnx convert them."""
    from skl2onnx import update_registered_converter

    for kind, convert in ((Fill, _convert_fill), (Elementwise, _convert_elementwise)):
        update_registered_converter(kind, f"Slipway{kind.__name__}", _shape, convert)


def _shape(operator: Any) -> None:
    from skl2onnx.common.data_types import DoubleTensorType

    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = DoubleTensorType([rows, operator.raw_operator.width_out])


def _double(scope: Any, operator: Any, container: Any) -> str:
    """Return the name of the operator's inputs, joined, in double precision."""
    from onnx import TensorProto

    names = list(operator.input_full_names)
    if len(names) > 1:
        joined = scope.get_unique_variable_name("joined")
        container.add_node("Concat", names, joined, axis=1, op_version=13)
        names = [joined]
    wide = scope.get_unique_variable_name("wide")
    container.add_node("Cast", names, wide, to=TensorProto.DOUBLE, op_version=13)
    return str(wide)


def _convert_fill(scope: Any, operator: Any, container: Any) -> None:
    from onnx import TensorProto

    fill: Fill = operator.raw_operator
    wide = _double(scope, operator, container)
    lacks = scope.get_unique_variable_name("lacks")
    container.add_node("IsNaN", wide, lacks, op_version=13)
    values = scope.get_unique_variable_name("values")
    container.add_initializer(values, TensorProto.DOUBLE, [1, fill.width], fill.values.tolist())
    filled = operator.output_full_names[0]
    if fill.indicated:
        filled = scope.get_unique_variable_name("filled")
    container.add_node("Where", [lacks, values, wide], filled, op_version=16)
    if fill.indicated:
        which = scope.get_unique_variable_name("which")
        indicated = list(fill.indicated)
        container.add_initializer(which, TensorProto.INT64, [len(indicated)], indicated)
        chosen = scope.get_unique_variable_name("chosen")
        container.add_node("Gather", [lacks, which], chosen, axis=1, op_version=13)
        told = scope.get_unique_variable_name("told")
        container.add_node("Cast", chosen, told, to=TensorProto.DOUBLE, op_version=13)
        container.add_node(
            "Concat", [filled, told], operator.output_full_names[0], axis=1, op_version=13
        )


def _convert_elementwise(scope: Any, operator: Any, container: Any) -> None:
    from onnx import TensorProto

    name = operator.raw_operator.function
    current = _double(scope, operator, container)

    def constant(value: float) -> str:
        held = scope.get_unique_variable_name("constant")
        container.add_initializer(held, TensorProto.DOUBLE, [1], [value])
        return str(held)

    steps: dict[str, tuple[tuple[str, float | None], ...]] = {
        "log": (("Log", None),),
        "log1p": (("Add", 1.0), ("Log", None)),
        "log2": (("Log", None), ("Div", float(np.log(2.0)))),
        "log10": (("Log", None), ("Div", float(np.log(10.0)))),
        "exp": (("Exp", None),),
        "expm1": (("Exp", None), ("Sub", 1.0)),
        "sqrt": (("Sqrt", None),),
        "square": (("Pow", 2.0),),
        "abs": (("Abs", None),),
        "absolute": (("Abs", None),),
    }
    for operation, value in steps[name]:
        result = scope.get_unique_variable_name(operation.lower())
        inputs = [current] if value is None else [current, constant(value)]
        version = 15 if operation == "Pow" else 14 if value is not None else 13
        container.add_node(operation, inputs, result, op_version=version)
        current = str(result)
    container.add_node("Identity", current, operator.output_full_names[0], op_version=13)
