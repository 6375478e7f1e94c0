"""Check that numpy's memory is laid out as numpy_2.py expects, and that the adapted stub works.

Runs in every process that numpy_2.py adapts; ``server/backends.py`` writes it next to that file.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

OLD_SIZE, NEW_SIZE = 32, 40  # bytes from a descriptor's start to the size, in numpy 1 and numpy 2
ABI = 0x2000000  # what the first function of the C API returns (NPY_ABI_VERSION)
NUMBERS = "? u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8".split()
SHAPES = ((1,), (2, 3), (2, 1, 3))
# https://dmlc.github.io/dlpack/latest/c_api.html: DLDataTypeCode
DLPACK_CODES = {"i": 0, "u": 1, "f": 2, "b": 6}
CPU = 1


class DLTensor(ctypes.Structure):
    """DLPack's description of a tensor."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("dimensions", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.c_void_p),
        ("offset", ctypes.c_uint64),
        # of DLManagedTensor
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
    )


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)  # type: ignore[misc]  # ctypes has no types for it
def _keep(_: int) -> None:
    """Delete nothing: the caller owns the memory."""


def check_layout(
    api: Any, sized: Callable[[int], Any], header_of: Callable[[Array], Array]
) -> None:
    """Reject a numpy whose C API or descriptors are not numpy 2's.

    ``sized`` returns a type whose size is at both places, ``header_of`` an array of such a type.

    Raises:
        ImportError: one of them differs.
    """
    version = ctypes.PYFUNCTYPE(ctypes.c_uint)(api[0])()
    if version != ABI:
        raise _failure(f"its C interface is {version:#x}, not {ABI:#x}")
    for name in NUMBERS:
        kind = np.dtype(name)
        if sizes_of(kind) != (kind.flags, kind.itemsize):
            raise _failure(f"{sizes_of(kind)} are where the flags and size of {kind} belong")
        array = np.zeros((2, 3), kind)
        header = header_of(array)
        found = header.ctypes.data, header.dtype, *sizes_of(np.ndarray.dtype.__get__(header))
        if found != (array.ctypes.data, kind, kind.itemsize, kind.itemsize):
            raise _failure(f"an array of {kind} gets the header {found}")
    for size in (1, 2, 3, 4, 8, 70_001):
        if sizes_of(sized(size)) != (size, size) or np.dtype((np.void, size)).flags:
            raise _failure(f"a type of {size} bytes has the sizes {sizes_of(sized(size))}")


def sizes_of(kind: Any) -> tuple[int, int]:
    """Return the C ints that are the size of a type, for numpy 1 and for numpy 2."""
    old, new = (ctypes.c_int.from_address(id(kind) + offset) for offset in (OLD_SIZE, NEW_SIZE))
    return old.value, new.value


def check_round_trip(tensor: Any, serialize: Callable[[Array], Any]) -> None:
    """Create tensors as a model does, and as the stub does for inputs, and compare them.

    ``tensor`` is the stub's class, and ``serialize`` its ``serialize_byte_tensor``, both adapted.

    Raises:
        ImportError: one differs.
    """
    for name in NUMBERS:
        for shape in SHAPES:
            array = np.arange(np.prod(shape)).reshape(shape).astype(name)
            output, read = tensor("output", array).as_numpy(), _as_input(tensor, array)
            if output is not array:
                raise _failure(f"the output {array!r} became {output!r}")
            same = read.dtype == array.dtype and read.strides == array.strides
            if not same or not np.array_equal(read, array):
                raise _failure(f"the input {array!r} became {read!r}, strides {read.strides}")
    text = np.array([b"a\0b", "\u00e9", b""], dtype=object)
    expected = b"\3\0\0\0a\0b\2\0\0\0\xc3\xa9\0\0\0\0"
    data = serialize(text)
    if data.tobytes() != expected or sizes_of(data.dtype)[0] != len(expected):
        raise _failure(f"the strings {text!r} became {data!r}")


def _as_input(tensor: Any, array: Array) -> Array:
    """Return a copy of ``array`` that the stub creates as it creates an input's array.

    The capsule is ours, because numpy's own writes a traceback when the stub has consumed it.
    """
    managed = DLTensor(
        data=array.ctypes.data,
        device_type=CPU,
        dimensions=array.ndim,
        code=DLPACK_CODES[array.dtype.kind],
        bits=8 * array.itemsize,
        lanes=1,
        shape=(ctypes.c_int64 * array.ndim)(*array.shape),
        deleter=_keep,
    )
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, pointer, text, pointer)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    capsule = new_capsule(ctypes.addressof(managed), b"dltensor", None)
    copy: Array = tensor.from_dlpack("input", capsule).as_numpy()
    return copy


def _failure(what: str) -> ImportError:
    return ImportError(f"numpy {np.__version__} cannot be used on this Python stub: {what}")
