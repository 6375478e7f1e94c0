"""Make requests that a model may accept, from the inputs that its config declares."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import numpy as np

from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import BYTES, numpy_type

type Array = np.ndarray[Any, Any]

SEED = 7
STEPS = 64  # floats are multiples of 1/64: few digits in JSON, exact in every float type
LARGEST_INTEGER = 3  # indices must be small, sizes and divisors positive
WORDS = ("a first sentence", "Grün, and two words")
PICTURES = ("image", "img", "photo", "picture", "jpeg", "jpg", "png", "frame", "raw")
SIDE = 64  # pixels of the picture
# for free sizes, likely ones first: a size that is refused costs one request
SIZES = (3, 1, 4, 16, 64, 224, 640)


def candidate_requests(interface: Interface) -> Iterator[dict[str, Array]]:
    """Yield requests of one row, the likeliest first; optional inputs are left out.

    Strings are sentences or an encoded picture, by the input's name first, then all of one kind.
    """
    required = {name: t for name, t in interface.inputs.items() if not t.optional}
    free = any(-1 in tensor.dims for tensor in required.values())
    texts = any(_takes_bytes(tensor) for tensor in required.values())
    for kind in ("by name", "words", "picture", "base64") if texts else ("by name",):
        for size in SIZES if free else SIZES[:1]:
            random = np.random.default_rng(SEED)
            yield {
                name: _array(random, name, tensor, size, kind, batched=interface.batches)
                for name, tensor in required.items()
            }


def _takes_bytes(tensor: Tensor) -> bool:
    """Return whether a tensor may hold an encoded file: strings, or bytes of any number."""
    return tensor.datatype == BYTES or (tensor.datatype == "UINT8" and tensor.dims == (-1,))


def _array(
    random: np.random.Generator, name: str, tensor: Tensor, size: int, kind: str, *, batched: bool
) -> Array:
    shape = ((1,) if batched else ()) + tuple(size if dim < 0 else dim for dim in tensor.dims)
    if kind == "by name":
        looks = any(word in name.lower() for word in PICTURES)
        kind = "picture" if looks else "words"
    if tensor.datatype == BYTES:
        texts = {"picture": (picture(),), "base64": (b64encode(picture()),)}.get(kind)
        choices = texts or tuple(word.encode() for word in WORDS)
        array = np.empty(int(np.prod(shape)), dtype=object)
        array[:] = [choices[index % len(choices)] for index in range(array.size)]
        return array.reshape(shape)
    if kind == "picture" and _takes_bytes(tensor):
        encoded = np.frombuffer(picture(), dtype=np.uint8)
        return encoded.reshape((*shape[:-1], encoded.size))
    dtype = np.dtype(numpy_type(tensor.datatype))
    if dtype.kind == "f":
        return np.asarray(random.integers(0, STEPS, shape) / STEPS, dtype=dtype)
    low, high = (0, 1) if dtype.kind == "b" else (1, LARGEST_INTEGER)
    return np.asarray(random.integers(low, high, shape, endpoint=True), dtype=dtype)


def picture() -> bytes:
    """Return a PNG of ``SIDE`` × ``SIDE`` pixels in RGB, a gradient (PNG specification, 5)."""
    rows = b"".join(
        b"\0" + bytes(c for x in range(SIDE) for c in (x * 4, y * 4, (x + y) * 2))
        for y in range(SIDE)
    )
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
