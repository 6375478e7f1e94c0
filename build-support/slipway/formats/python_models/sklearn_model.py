"""Answer with a model of scikit-learn: tensors → the training's table → its own predictions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
import triton_python_backend_utils as pb_utils

HERE = Path(__file__).parent


class TritonPythonModel:
    """Load ``model.skops`` once. ``interface.json`` says what its table and answers are."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model, with the types that were trusted when it was brought in."""
        self.interface = json.loads((HERE / "interface.json").read_text(encoding="utf-8"))
        self.model = skops.io.load(HERE / "model.skops", trusted=self.interface["trusted"])

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        try:
            table = self._table(request)
            answers = [self._answer(output, table) for output in self.interface["outputs"]]
        except (ValueError, TypeError, KeyError) as error:  # of this request's values
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))
        return pb_utils.InferenceResponse(answers)

    def _table(self, request: Any) -> Any:
        columns = self.interface["columns"]
        if not self.interface["separate"]:
            wide = pb_utils.get_input_tensor_by_name(request, self.interface["wide"]).as_numpy()
            values = [_values(wide[:, i], column) for i, column in enumerate(columns)]
        else:
            read = [_read(request, column) for column in columns]
            count = next(len(array) for array in read if array is not None)
            values = [np.full(count, np.nan) if array is None else array for array in read]
        if self.interface["framed"]:
            import pandas

            return pandas.DataFrame(
                {column["name"]: array for column, array in zip(columns, values, strict=True)}
            )
        if self.interface["documents"]:
            return list(values[0])
        mixed = any(array.dtype == object for array in values)
        return np.stack([a.astype(object) if mixed else a for a in values], axis=1)

    def _answer(self, output: dict[str, Any], table: Any) -> Any:
        found = getattr(self.model, output["method"])(table)
        rows = np.asarray(found.toarray() if hasattr(found, "toarray") else found)
        rows = rows.reshape(len(rows), -1)
        if output["datatype"] == "BYTES":
            rows = np.array([[str(item).encode() for item in row] for row in rows], dtype=object)
        else:
            rows = rows.astype(np.int64 if output["datatype"] == "INT64" else np.float32)
        return pb_utils.Tensor(output["name"], rows)


def _read(request: Any, column: dict[str, Any]) -> Any:
    """Return a column's values; ``None`` of one that the model does not use."""
    if not column["used"]:
        return None
    tensor = pb_utils.get_input_tensor_by_name(request, column["name"])
    return _values(tensor.as_numpy()[:, 0], column)


def _values(values: Any, column: dict[str, Any]) -> Any:
    if column["kind"] == "text":
        absent = float("nan") if column["absent"] == "NaN" else column["absent"]
        texts = [value.decode() for value in values]
        return np.array([absent if text == "" else text for text in texts], dtype=object)
    return values.astype(np.int64 if column["kind"] == "integer" else np.float64)
