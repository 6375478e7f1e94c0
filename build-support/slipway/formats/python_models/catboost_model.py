"""Answer with CatBoost itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils
from catboost_answers import answers_of, load_model, rows_of  # next to it

HERE = Path(__file__).parent


class TritonPythonModel:
    """A model; ``served.json`` says what its columns are, and what it answers."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model."""
        self.served: dict[str, Any] = json.loads((HERE / "served.json").read_text())
        self.model = load_model(str(HERE / self.served["file"]), self.served["answers"])
        config = json.loads(args["model_config"])
        self.inputs = [tensor["name"] for tensor in config["input"]]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request on its own."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        tensors = {n: pb_utils.get_input_tensor_by_name(request, n).as_numpy() for n in self.inputs}
        served = self.served
        rows = rows_of(tensors, served["columns"])
        answers = answers_of(self.model, rows, served["answers"], served["kind"], served["labels"])
        wanted = request.requested_output_names()
        found = [pb_utils.Tensor(name, answers[name]) for name in answers if name in wanted]
        return pb_utils.InferenceResponse(found)
