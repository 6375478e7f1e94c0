"""SW21x: the shapes of inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from slipway.check.finding import Found
from slipway.check.rule import rule
from slipway.check.rules.config_2xx.tensors import CORE, Tensor, excused, tensors
from slipway.check.subject import Subject
from slipway.triton import config

TENSORRT = "tensorrt"
FORMATS = ("FORMAT_NHWC", "FORMAT_NCHW")


@rule(
    "SW216",
    "dims",
    reason="the load fails: “must specify 'dims'”, or “dimension must be integer >= 1, or -1”",
    source=CORE,
)
def dims(subject: Subject) -> Iterator[Found]:
    """``dims`` are left out, or one is 0 or below -1."""
    for tensor in tensors(subject):
        if not tensor.said.dims and not excused(subject, tensor):
            yield Found(
                tensor.of.place(*tensor.path, "dims"),
                f"{tensor} has no dims",
                "dims: [ 1 ] for one element, [ -1 ] for any number of them",
            )
        yield from _sizes(tensor, tensor.said.dims, "dims")
        yield from _sizes(tensor, tensor.said.reshape.shape, "reshape", "shape")


@rule(
    "SW217",
    "reshape",
    reason="the load fails: “has different size for dims and reshape”",
    source=CORE,
)
def reshape(subject: Subject) -> Iterator[Found]:
    """``reshape`` has other elements than ``dims``, between each two variable dimensions."""
    for tensor in tensors(subject):
        if not tensor.said.HasField("reshape"):
            continue
        dims, shape = list(tensor.said.dims), list(tensor.said.reshape.shape)
        message = tensor.of.message
        if not shape and message is not None and message.max_batch_size == 0 and not subject.lone:
            what = "an empty reshape would be a scalar, which takes a model with batches"
        elif runs(dims) != runs(shape):
            what = f"{tensor} cannot be reshaped from {dims} to {shape}"
        else:
            continue
        if dims and min(dims + shape) >= -1 and 0 not in dims + shape:
            fix = "as many elements on both sides of each -1, and as many -1"
            yield Found(tensor.of.place(*tensor.path, "reshape"), what, fix)


@rule(
    "SW218",
    "input-format",
    reason="the load fails: “model input NHWC/NCHW require 3 dims”",
    source="Triton core, model_config_utils.cc (ValidateModelInput), and seen on 24.10",
)
def input_format(subject: Subject) -> Iterator[Found]:
    """An image format on an input that has not three dimensions."""
    names = config.schema().ModelInput.Format
    for tensor in tensors(subject):
        said = tensor.said.format if tensor.kind == "input" else 0
        if said in (names.Value(name) for name in FORMATS) and len(tensor.said.dims) != 3:
            yield Found(
                tensor.of.place(*tensor.path, "format"),
                f"{tensor} has the format of an image and {len(tensor.said.dims)} dims",
                "three dims without the batch, or remove the format",
            )


@rule(
    "SW219",
    "tensorrt-only",
    reason="the load fails: “only supported for TensorRT platform”",
    source="Triton core, model_config_utils.cc (ValidateModelInput), and seen on 24.10",
)
def tensorrt_only(subject: Subject) -> Iterator[Found]:
    """Shape tensors and non-linear formats on another backend than TensorRT."""
    for tensor in tensors(subject):
        backend = tensor.of.backend
        for field in ("is_shape_tensor", "is_non_linear_format_io"):
            if not getattr(tensor.said, field):
                continue
            if backend and backend != TENSORRT:
                what = f"{field} on the backend {backend!r}"
            elif field == "is_non_linear_format_io" and len(tensor.said.dims) != 3:
                what = f"{tensor} has a non-linear format and {len(tensor.said.dims)} dims, not 3"
            else:
                continue
            yield Found(tensor.of.place(*tensor.path, field), what, "remove it")


def _sizes(tensor: Tensor, sizes: Any, *field: str) -> Iterator[Found]:
    for number, size in enumerate(sizes):
        if size < 1 and size != -1:
            yield Found(
                tensor.of.value_place(*tensor.path, *field, number),
                f"a dimension of {tensor} is {size}",
                "1 or more, or -1 for any",
            )


def runs(dims: list[int]) -> list[int]:
    """The elements before, between and behind the variable dimensions."""
    runs = [1]
    for variable, group in groupby(dims, lambda dim: dim == -1):
        if variable:
            runs += [1] * len(list(group))
        else:
            runs[-1] = math.prod(group)
    return runs
