"""Adapt the Python stub of Triton 24.10 to numpy 2, inside a model's process.

The stub was compiled with pybind11 2.10, which knows numpy 1's type descriptor only: it reads the
size of an element as the C int at byte 32 (``PyArrayDescr_Proxy::elsize`` in pybind11/numpy.h).
numpy 2 has the lower half of ``flags`` there, 0 for plain types, and the size at byte 40
(``_PyArray_Descr`` in numpy/ndarraytypes.h). So every tensor that a model returns has 0 bytes, and
every input gets strides of 0. Releases from 24.11 on are compiled with pybind11 2.12.

``server/backends.py`` writes this file next to a copy of ``triton_python_backend_utils.py`` that
calls :func:`adapt` under numpy 2. It never gets into an artifact.
"""

from __future__ import annotations

import ctypes
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

import c_python_backend_utils as stub
import numpy as np
import slipway_numpy_2_check as check

SIZES = (1, 2, 4, 8)
# positions in numpy's C API, the same since numpy 1.7 (numpy/_core/code_generators/numpy_api.py);
# the last one is the highest that pybind11 2.10 looks up
NEW_FROM_DESCR, LAST = 94, 282

Array = np.ndarray[Any, Any]
Serialize = Callable[[Array], Any]


def adapt(serialize: Serialize, tested: Sequence[str]) -> Serialize:
    """Adapt the stub's class ``Tensor``, and return a ``serialize_byte_tensor`` for it.

    ``tested`` are the versions of numpy with which this stub was tested.

    Raises:
        ImportError: another numpy, or the adapted stub does not return what it was given.
    """
    if not tested:
        raise ImportError(
            f"numpy {np.__version__} does not work with this Python stub, and Slipway was not"
            " tested with the file"
        )
    if np.__version__ not in tested:
        raise ImportError(
            f"numpy {np.__version__} is not a version that this server's Python stub was tested"
            f" with: {tested[0]} to {tested[-1]}"
        )
    check.check_layout(c_api(), _sized, header_of)
    _replace_new_from_descr()
    _replace_tensor_methods()
    adapted = _sized_serialize(serialize)
    check.check_round_trip(stub.Tensor, adapted)
    return adapted


class Header(np.ndarray):  # type: ignore[type-arg]
    """An array over the memory of ``true``, whose C descriptor has the element's size at byte 32.

    The stub asks the attribute ``dtype`` for the type, and the descriptor for the size.
    """

    true: Array

    @property
    def dtype(self) -> Any:
        """Return the real type."""
        return self.true.dtype


def header_of(array: Array) -> Header:
    """Return a header over the memory of a contiguous array."""
    header = np.ndarray.__new__(Header, array.shape, KINDS[array.dtype.itemsize], array)
    header.true = array
    return header


def _sized(size: int) -> Any:
    """Return a new type of ``size`` bytes, whose flags are ``size``, too."""
    kind: Any = np.dtype((np.void, size))  # never shared: numpy creates one at each call
    # version, byte order, subarray, names, fields, size, alignment, flags
    kind.__setstate__((3, "|", None, None, None, size, 1, size))
    return kind


KINDS = {size: _sized(size) for size in SIZES}


def _replace_tensor_methods() -> None:
    """Let the constructor hand the stub headers, and ``as_numpy`` never return one."""
    init, as_numpy = stub.Tensor.__init__, stub.Tensor.as_numpy

    def sized_init(self: Any, name: str, array: Array, /) -> None:
        # the stub rejects other types before it reads a size, and empty arrays have 0 bytes
        if (
            isinstance(array, np.ndarray)
            and array.dtype.kind in "biuf"
            and array.dtype.itemsize in KINDS
            and array.size
        ):
            if not array.flags.c_contiguous:
                array = np.ascontiguousarray(array)
            array = header_of(array)
        init(self, name, array)

    def true_as_numpy(self: Any) -> Array:
        array: Array = as_numpy(self)
        return array.true if type(array) is Header else array

    stub.Tensor.__init__, stub.Tensor.as_numpy = sized_init, true_as_numpy


def _sized_serialize(serialize: Serialize) -> Serialize:
    """Return a ``serialize_byte_tensor`` whose result tells the stub its length."""

    def serialize_byte_tensor(input_tensor: Array) -> Any:
        data = serialize(input_tensor)
        if not isinstance(data, bytes):
            return data
        return np.ndarray((), _sized(len(data)), buffer=data)

    serialize_byte_tensor.__doc__ = serialize.__doc__
    return serialize_byte_tensor


def _replace_new_from_descr() -> None:
    """Give the stub a copy of numpy's C API whose ``PyArray_NewFromDescr`` computes the strides.

    The stub looks the API up once, in ``numpy.core.multiarray``, and creates contiguous arrays
    only. Nothing else in the process sees the copy.
    """
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    signature = ctypes.PYFUNCTYPE(
        *(pointer, pointer, pointer, integer, pointer, pointer, pointer, integer, pointer)
    )
    table = c_api()
    original = signature(table[NEW_FROM_DESCR] or 0)

    @signature  # type: ignore[misc]  # ctypes has no types for it
    def contiguous(*arguments: Any) -> Any:
        subtype, descr, dimensions, shape, _, data, flags, source = arguments
        return original(subtype, descr, dimensions, shape, None, data, flags, source)

    copy = type(table)(*table)
    copy[NEW_FROM_DESCR] = ctypes.cast(contiguous, pointer).value
    new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, pointer, pointer, pointer)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    name = "numpy.core.multiarray"
    module = types.ModuleType(name)
    module._ARRAY_API = new_capsule(ctypes.addressof(copy), None, None)  # type: ignore[attr-defined]
    # the stub keeps pointers to all of these as long as the process lives
    _replace_new_from_descr.alive = (copy, contiguous, original, module)  # type: ignore[attr-defined]
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        stub.Tensor("lookup", np.zeros(1, np.float32))
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


def c_api() -> Any:
    """Return the beginning of numpy's C API, an array of pointers."""
    from numpy._core import multiarray

    # own prototypes: those of ctypes.pythonapi's attributes belong to everyone in the process
    get_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    address = get_pointer(multiarray._ARRAY_API, None)  # type: ignore[attr-defined]
    return (ctypes.c_void_p * (LAST + 1)).from_address(address)
