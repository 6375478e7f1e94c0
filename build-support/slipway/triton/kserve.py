"""Requests and answers of KServe v2 with binary tensors, as SageMaker's Triton takes them.

The encoding is tritonclient's own. Source of the content type: Triton's sagemaker_server.cc.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput
from tritonclient.utils import np_to_triton_dtype

from slipway.errors import SlipwayError

type Array = np.ndarray[Any, Any]

# no space after the semicolon: the server looks for exactly this
BINARY = "application/vnd.sagemaker-triton.binary+json;json-header-size="


def encode(inputs: Mapping[str, Array]) -> tuple[bytes, str]:
    """The body and content type of a request. Strings and bytes are arrays of ``object``.

    Raises:
        SlipwayError: an array's type has no counterpart in Triton.
    """
    body, header = InferenceServerClient.generate_request_body(
        [tensor(name, np.asarray(array)) for name, array in inputs.items()]
    )
    return body, f"{BINARY}{len(body) if header is None else header}"


def decode(body: bytes, content_type: str) -> dict[str, Array]:
    """The outputs of an answer by name; strings of a binary answer are ``bytes`` in arrays of
    ``object``, those of a JSON answer ``str``."""
    header = int(content_type[len(BINARY) :]) if content_type.startswith(BINARY) else None
    result = InferenceServerClient.parse_response_body(body, header_length=header)
    outputs = result.get_response().get("outputs", [])
    return {output["name"]: result.as_numpy(output["name"]) for output in outputs}


def tensor(name: str, array: Array) -> InferInput:
    """tritonclient's form of an input.

    Raises:
        SlipwayError: the array's type has no counterpart in Triton.
    """
    if array.dtype.kind == "U":
        array = array.astype(object)
    datatype = np_to_triton_dtype(array.dtype)
    if datatype is None:
        raise SlipwayError(
            f"input {name!r}: Triton has no type for numpy's {array.dtype}",
            fix=f"convert it first, such as {name}.astype(numpy.float32)",
        )
    tensor = InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array)
    return tensor


def message_of(status: int, body: bytes) -> str:
    """What the body of an error says."""
    if not body:
        return f"HTTP {status}, and no word why"
    text = body.decode(errors="replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        # two errors in one body: the load's, and that of taking its repository back
        found = re.match(r'\{"error":("(?:[^"\\]|\\.)*")\}', text)
        return str(json.loads(found[1])) if found else text
