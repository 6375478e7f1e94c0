"""Turn the inferencer's outputs into the ensemble's outputs."""

from typing import Any

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Pass every tensor on unchanged. Add the postprocessing here."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        label = _array(request, "label")
        probability = _array(request, "probability")
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("label", label),
                pb_utils.Tensor("probability", probability),
            ]
        )


def _array(request: Any, name: str) -> Any:
    return pb_utils.get_input_tensor_by_name(request, name).as_numpy()
