"""An answer as the page shows it: every number as text, long ones cut, pictures whole."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from slipway.endpoint.instance.connection import ContainerResponse
from slipway.endpoint.playground.elements import SHOWN, array_texts, describe_bytes
from slipway.model.interface import Interface
from slipway.triton import kserve
from slipway.triton.comparison import compare_outputs
from slipway.triton.datatypes import BYTES, Array, datatype_of

LARGEST_DOWNLOAD = 8 * 2**20  # bytes of one output that the page gets whole, to save it
LARGEST_PICTURE = 2**22  # bytes of pixels
NOT_IN_JSON = ("FP16", "BF16")
LEAST_SIDE = 8  # pixels; what is smaller is read as numbers


def decode(answer: ContainerResponse, interface: Interface) -> dict[str, Array]:
    """Return the outputs in the order that the release declares: Triton has its own.

    Raises:
        ValueError: it is no answer of Triton.
    """
    try:
        outputs = kserve.decode(answer.body, answer.headers.get("content-type", ""))
    except Exception as error:  # whatever a malformed body leads to
        raise ValueError(f"not an answer of Triton: {error!r}") from error
    ordered = {name: outputs[name] for name in interface.outputs if name in outputs}
    return ordered | outputs


def holds_binary(outputs: Mapping[str, Array], interface: Interface) -> bool:
    """Return whether an answer holds what Triton does not write as JSON: types that it refuses,
    bytes that are no text, numbers that JSON has not."""
    return any(
        (name in interface.outputs and interface.outputs[name].datatype in NOT_IN_JSON)
        or _needs_binary(array)
        for name, array in outputs.items()
    )


def _needs_binary(array: Array) -> bool:
    if array.dtype.kind == "f":
        return not bool(np.isfinite(array).all())
    if array.dtype != object:
        return False
    try:
        return any("\0" in _bytes(item).decode() for item in array.ravel())
    except UnicodeDecodeError:
        return True


def describe_outputs(outputs: Mapping[str, Array], interface: Interface) -> list[dict[str, Any]]:
    """Return each output with its datatype, shape and first elements."""
    return [_output(name, array, interface) for name, array in outputs.items()]


def describe_body(answer: ContainerResponse) -> dict[str, Any]:
    """Return the body of a container's answer, which has any form."""
    described = describe_bytes(answer.body)
    return described | {"content_type": answer.headers.get("content-type", "")}


def differences(one: Mapping[str, Array], other: Mapping[str, Array]) -> dict[str, Any]:
    """Return the lines of what differs, and the shown elements that do, by output; tolerances are
    those of golden cases."""
    marked = {}
    for name in set(one) & set(other):
        if one[name].shape != other[name].shape or one[name].dtype != other[name].dtype:
            continue
        flat, others = one[name].ravel()[:SHOWN], other[name].ravel()[:SHOWN]
        marked[name] = [
            index
            for index in range(len(flat))
            if compare_outputs({"": flat[index : index + 1]}, {"": others[index : index + 1]}, {})
        ]
    lines = [
        line.replace("expected", "the first says").replace("got", "the second")
        for line in compare_outputs(one, other, {})
    ]
    return {"lines": lines, "marked": marked}


def _output(name: str, array: Array, interface: Interface) -> dict[str, Any]:
    declared = interface.outputs.get(name)
    datatype = declared.datatype if declared else datatype_of(array) or str(array.dtype)
    described: dict[str, Any] = {
        "name": name,
        "datatype": datatype,
        "shape": list(array.shape),
        "count": int(array.size),
        "left_out": max(0, int(array.size) - SHOWN),
    }
    if datatype == BYTES:
        described["elements"] = [describe_bytes(_bytes(item)) for item in array.ravel()[:SHOWN]]
        return described
    described["elements"] = array_texts(array)
    picture = _picture(array)
    if picture is not None:
        described["picture"] = picture
    if described["left_out"] and array.nbytes <= LARGEST_DOWNLOAD:
        described["npy"] = _npy(array)
    if array.size and array.dtype.kind in "fiu":
        described["range"] = _range(array)
    return described


def _bytes(item: Any) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode()


def _range(array: Array) -> list[str]:
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    if not finite.size:
        return []
    return array_texts(np.array([finite.min(), finite.max()], dtype=array.dtype))


def _picture(array: Array) -> dict[str, Any] | None:
    """Return the first row as pixels, if it can only be a picture: UINT8, [height, width] with 1,
    3 or 4 channels last."""
    if array.dtype != np.uint8 or not LEAST_SIDE**2 <= array.nbytes <= LARGEST_PICTURE:
        return None
    pixels = array[0] if array.ndim == 4 and len(array) else array
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or min(pixels.shape[:2]) < LEAST_SIDE:
        return None
    height, width, channels = pixels.shape
    data = base64.b64encode(pixels.tobytes()).decode()
    return {"width": width, "height": height, "channels": channels, "base64": data}


def _npy(array: Array) -> str:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return base64.b64encode(out.getvalue()).decode()
