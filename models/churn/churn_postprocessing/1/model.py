"""Turn the forest's answers into a probability of leaving, and its reasons."""

from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

REASONS = 3
FEATURES = [
    *("gender", "SeniorCitizen", "Partner", "Dependents", "tenure", "PhoneService"),
    *("MultipleLines", "InternetService", "OnlineSecurity", "OnlineBackup", "DeviceProtection"),
    *("TechSupport", "StreamingTV", "StreamingMovies", "Contract", "PaperlessBilling"),
    *("PaymentMethod", "MonthlyCharges", "TotalCharges"),
]


class TritonPythonModel:
    """Name the features that speak most for leaving, or for staying if the customer stays."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        probability = _array(request, "probability")
        contributions = _array(request, "contributions")
        reasons = [
            _reasons(row, churn > 0.5)
            for row, churn in zip(contributions, probability[:, 1], strict=True)
        ]
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("probability", probability),
                pb_utils.Tensor("contributions", contributions),
                pb_utils.Tensor("reasons", np.array(reasons, dtype=object)),
            ]
        )


def _reasons(contributions: Any, leaves: bool) -> list[bytes]:
    """Return the features whose contribution decides most; the last number is the bias."""
    towards = contributions[:-1] if leaves else -contributions[:-1]
    order = np.argsort(-towards, kind="stable")[:REASONS]
    return [FEATURES[index].encode() if towards[index] > 0 else b"" for index in order]


def _array(request: Any, name: str) -> Any:
    return pb_utils.get_input_tensor_by_name(request, name).as_numpy()
