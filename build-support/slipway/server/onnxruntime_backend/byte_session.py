"""A session whose strings are bytes, through ONNX Runtime's C API.

Its Python package makes text of every string that a graph returns, and raises UnicodeDecodeError
for those that are not UTF-8, which the native backend passes through. The order of the API's
functions is fixed: https://onnxruntime.ai/docs/api/c/struct_ort_api.html
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_void_p
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

type Array = np.ndarray[Any, Any]

API_VERSION = 16  # any from the one that first had all of these functions works
ERRORS_ONLY = 3
STRING = 8
# ONNXTensorElementDataType
TYPES = {
    1: np.float32,
    2: np.uint8,
    3: np.int8,
    4: np.uint16,
    5: np.int16,
    6: np.int32,
    7: np.int64,
    9: np.bool_,
    10: np.float16,
    11: np.float64,
    12: np.uint32,
    13: np.uint64,
}
NUMBERS = {np.dtype(data_type): number for number, data_type in TYPES.items()}
# the functions used, by their place in the API; each returns a status, the last few nothing
FUNCTIONS: dict[str, tuple[int, tuple[Any, ...]]] = {
    "CreateEnv": (3, (c_int, c_char_p, c_void_p)),
    "CreateSession": (7, (c_void_p, c_char_p, c_void_p, c_void_p)),
    "Run": (9, (c_void_p,) * 4 + (c_size_t, c_void_p, c_size_t, c_void_p)),
    "CreateSessionOptions": (10, (c_void_p,)),
    "SetSessionExecutionMode": (13, (c_void_p, c_int)),
    "SetSessionGraphOptimizationLevel": (23, (c_void_p, c_int)),
    "SetIntraOpNumThreads": (24, (c_void_p, c_int)),
    "SetInterOpNumThreads": (25, (c_void_p, c_int)),
    "RegisterCustomOpsLibrary": (29, (c_void_p, c_char_p, c_void_p)),
    "CreateTensorAsOrtValue": (48, (c_void_p, c_void_p, c_size_t, c_int, c_void_p)),
    "CreateTensorWithDataAsOrtValue": (
        49,
        (c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_int, c_void_p),
    ),
    "GetTensorMutableData": (51, (c_void_p, c_void_p)),
    "FillStringTensor": (52, (c_void_p, c_void_p, c_size_t)),
    "GetStringTensorDataLength": (53, (c_void_p, c_void_p)),
    "GetStringTensorContent": (54, (c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)),
    "GetTensorElementType": (60, (c_void_p, c_void_p)),
    "GetDimensionsCount": (61, (c_void_p, c_void_p)),
    "GetDimensions": (62, (c_void_p, c_void_p, c_size_t)),
    "GetTensorTypeAndShape": (65, (c_void_p, c_void_p)),
    "AllocatorGetInfo": (77, (c_void_p, c_void_p)),
    "GetAllocatorWithDefaultOptions": (78, (c_void_p,)),
}
RELEASES = {"Status": 93, "Value": 96, "TensorTypeAndShapeInfo": 99, "SessionOptions": 100}


class _ApiBase(ctypes.Structure):
    _fields_ = [("get_api", ctypes.CFUNCTYPE(c_void_p, ctypes.c_uint32))]


class ByteSession:
    """One graph, opened with the options of the Python session that it takes the place of."""

    def __init__(self, file: Path, settings: Any, libraries: Sequence[str]) -> None:
        """Open ``file``.

        Raises:
            RuntimeError: ONNX Runtime refuses, or its package has no library with the C API.
        """
        self._table = _api()
        self._environment = self._new("CreateEnv", ERRORS_ONLY, b"slipway")
        options = self._new("CreateSessionOptions")
        parallel = settings.execution_mode == ort.ExecutionMode.ORT_PARALLEL
        self._call("SetSessionExecutionMode", options, int(parallel))
        level = int(settings.graph_optimization_level)
        self._call("SetSessionGraphOptimizationLevel", options, level)
        self._call("SetIntraOpNumThreads", options, settings.intra_op_num_threads)
        self._call("SetInterOpNumThreads", options, settings.inter_op_num_threads)
        for library in libraries:
            self._new("RegisterCustomOpsLibrary", options, library.encode())
        path = str(file).encode()
        self._session = self._new("CreateSession", self._environment, path, options)
        self._release("SessionOptions", options)
        # both belong to ONNX Runtime
        self._allocator = self._new("GetAllocatorWithDefaultOptions")
        self._memory = self._new("AllocatorGetInfo", self._allocator)

    def run(self, names: Sequence[str], feed: Mapping[str, Array]) -> list[Array]:
        """Return the outputs ``names``, strings as objects of bytes.

        Raises:
            RuntimeError: ONNX Runtime cannot run the graph.
        """
        arrays = [np.ascontiguousarray(a).reshape(a.shape) for a in feed.values()]
        inputs = [self._tensor(array) for array in arrays]
        outputs = (c_void_p * len(names))()
        try:
            self._call(
                "Run",
                self._session,
                None,
                (c_char_p * len(feed))(*(name.encode() for name in feed)),
                (c_void_p * len(inputs))(*inputs),
                len(inputs),
                (c_char_p * len(names))(*(name.encode() for name in names)),
                len(names),
                outputs,
            )
            return [self._array(c_void_p(output)) for output in outputs]
        finally:
            for value in (*inputs, *(output for output in outputs if output)):
                self._release("Value", value)

    def _tensor(self, array: Array) -> c_void_p:
        shape = (c_int64 * array.ndim)(*array.shape)
        if array.dtype.kind not in "OS":
            data = array.ctypes.data_as(c_void_p)
            number = NUMBERS[array.dtype]
            place = (data, array.nbytes, shape, array.ndim, number)
            return self._new("CreateTensorWithDataAsOrtValue", self._memory, *place)
        value = self._new("CreateTensorAsOrtValue", self._allocator, shape, array.ndim, STRING)
        texts = [text.encode() if isinstance(text, str) else text for text in array.ravel()]
        self._call("FillStringTensor", value, (c_char_p * len(texts))(*texts), len(texts))
        return value

    def _array(self, value: c_void_p) -> Array:
        info = self._new("GetTensorTypeAndShape", value)
        number, rank = c_int(), c_size_t()
        self._call("GetTensorElementType", info, byref(number))
        self._call("GetDimensionsCount", info, byref(rank))
        shape = (c_int64 * rank.value)()
        self._call("GetDimensions", info, shape, rank.value)
        self._release("TensorTypeAndShapeInfo", info)
        count = prod(shape)
        if number.value == STRING:
            return self._strings(value, count).reshape(tuple(shape))
        data_type = np.dtype(TYPES[number.value])
        data = self._new("GetTensorMutableData", value)
        content = ctypes.string_at(data, count * data_type.itemsize)
        return np.frombuffer(content, data_type).reshape(tuple(shape))

    def _strings(self, value: c_void_p, count: int) -> Array:
        length = c_size_t()
        self._call("GetStringTensorDataLength", value, byref(length))
        content = ctypes.create_string_buffer(length.value)
        offsets = (c_size_t * count)()
        self._call("GetStringTensorContent", value, content, length.value, offsets, count)
        ends = [*offsets[1:], length.value] if count else []
        pairs = zip(offsets, ends, strict=True)
        array = np.empty(count, np.object_)
        array[:] = [content.raw[start:end] for start, end in pairs]
        return array

    def _new(self, function: str, *arguments: Any) -> c_void_p:
        """Call a function that returns an object in its last argument."""
        created = c_void_p()
        self._call(function, *arguments, byref(created))
        return created

    def _call(self, function: str, *arguments: Any) -> None:
        index, types = FUNCTIONS[function]
        status = ctypes.CFUNCTYPE(c_void_p, *types)(self._table[index])(*arguments)
        if status:
            code = ctypes.CFUNCTYPE(c_int, c_void_p)(self._table[1])(status)
            message = ctypes.CFUNCTYPE(c_char_p, c_void_p)(self._table[2])(status)
            self._release("Status", status)
            raise RuntimeError(f"onnx runtime error {code}: {(message or b'').decode()}")

    def _release(self, kind: str, created: Any) -> None:
        ctypes.CFUNCTYPE(None, c_void_p)(self._table[RELEASES[kind]])(created)


def _api() -> Any:
    """Return the table of the C API's functions."""
    folder = Path(ort.__file__).parent / "capi"
    libraries = sorted(folder.glob("libonnxruntime.so*"))
    if not libraries:
        raise RuntimeError(
            "a string output is not UTF-8, and the package onnxruntime has no libonnxruntime.so"
            " to read it with"
        )
    get_base = ctypes.CDLL(str(libraries[0])).OrtGetApiBase
    get_base.restype = POINTER(_ApiBase)
    return ctypes.cast(get_base().contents.get_api(API_VERSION), POINTER(c_void_p))
