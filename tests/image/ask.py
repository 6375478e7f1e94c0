"""Ask a container from its own network: NVIDIA's clients for HTTP and gRPC, SageMaker's port.

Prints what each answers, as JSON. It is started in the container's network namespace.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from typing import Any

import numpy as np
import tritonclient.grpc
import tritonclient.http

A, B = [[1.0, 2.0, 3.0, 4.0]], [[0.5, 0.5, 0.5, 0.5]]


def by_client(client: Any, module: Any, model: str) -> dict[str, Any]:
    inputs = []
    for name, values in (("A", A), ("B", B)):
        tensor = module.InferInput(name, [1, 4], "FP32")
        tensor.set_data_from_numpy(np.array(values, np.float32))
        inputs.append(tensor)
    answer = client.infer(model, inputs)
    return {
        "sum": answer.as_numpy("SUM").tolist(),
        "where": answer.as_numpy("WHERE")[0, 0].decode(),
    }


def get(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def main(models: list[str]) -> None:
    body = {
        "inputs": [
            {"name": name, "shape": [1, 4], "datatype": "FP32", "data": values}
            for name, values in (("A", A), ("B", B))
        ]
    }
    status, answer = get("http://127.0.0.1:8080/invocations", json.dumps(body).encode())
    outputs = {o["name"]: o["data"] for o in json.loads(answer)["outputs"]}
    http = tritonclient.http.InferenceServerClient("127.0.0.1:8000")
    grpc = tritonclient.grpc.InferenceServerClient("127.0.0.1:8001")
    result = {
        "ping": get("http://127.0.0.1:8080/ping")[0],
        "invocations": [status, outputs["SUM"]],
        "http": [by_client(http, tritonclient.http, model) for model in models],
        "grpc": [by_client(grpc, tritonclient.grpc, model) for model in models],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
