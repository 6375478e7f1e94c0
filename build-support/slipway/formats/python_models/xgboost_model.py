"""Answer with XGBoost itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils
import xgboost
from xgboost_answers import answers_of  # next to it

HERE = Path(__file__).parent


class TritonPythonModel:
    """A booster; ``served.json`` says what its objective answers."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the booster, with one thread: the server runs several instances."""
        self.served: dict[str, Any] = json.loads((HERE / "served.json").read_text())
        self.booster = xgboost.Booster({"nthread": 1}, model_file=HERE / self.served["file"])
        if self.served["rounds"]:
            self.booster = self.booster[: self.served["rounds"]]
        self.booster.feature_names = None

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request on its own."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        rows = pb_utils.get_input_tensor_by_name(request, "input").as_numpy()
        data = xgboost.DMatrix(
            rows, missing=self.served["missing"], feature_types=self.booster.feature_types
        )
        answers = answers_of(self.booster, data, self.served["answers"], self.served["labels"])
        wanted = request.requested_output_names()
        tensors = [
            pb_utils.Tensor(name, value) for name, value in answers.items() if name in wanted
        ]
        return pb_utils.InferenceResponse(tensors)
