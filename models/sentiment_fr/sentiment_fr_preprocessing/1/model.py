"""Turn what clients send into the inferencer's inputs."""

from typing import Any

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Pass every tensor on unchanged. Add the preprocessing here."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        text = _array(request, "text")
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("text", text),
            ]
        )


def _array(request: Any, name: str) -> Any:
    return pb_utils.get_input_tensor_by_name(request, name).as_numpy()
