"""Answer with LightGBM itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightgbm
import triton_python_backend_utils as pb_utils
from lightgbm_answers import answers_of  # next to it

HERE = Path(__file__).parent


class TritonPythonModel:
    """A booster; ``served.json`` says what its objective answers."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the booster."""
        self.served: dict[str, Any] = json.loads((HERE / "served.json").read_text())
        self.booster = lightgbm.Booster(model_file=str(HERE / self.served["file"]))

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request on its own."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        rows = pb_utils.get_input_tensor_by_name(request, "input").as_numpy()
        answers = answers_of(self.booster, rows, self.served["answers"])
        wanted = request.requested_output_names()
        tensors = [pb_utils.Tensor(name, answers[name]) for name in answers if name in wanted]
        return pb_utils.InferenceResponse(tensors)
