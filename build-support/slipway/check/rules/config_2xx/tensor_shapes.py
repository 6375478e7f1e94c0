"""SW21x: the shapes of inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.config_2xx.tensors import CORE, ConfigTensor, may_be_omitted, tensors
from slipway.triton.config import schema

TENSORRT = "tensorrt"
FORMATS = ("FORMAT_NHWC", "FORMAT_NCHW")


@rule(
    "SW216",
    "dims",
    reason="the load fails: “must specify 'dims'”, or “dimension must be integer >= 1, or -1”",
    source=CORE,
)
def dims(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find missing ``dims``, and dimensions that are 0 or below -1."""
    for tensor in tensors(model):
        if not tensor.message.dims and not may_be_omitted(model, tensor):
            yield RuleHit(
                tensor.config.location(*tensor.path, "dims"),
                f"{tensor} has no dims",
                "dims: [ 1 ] for one element, [ -1 ] for any number of them",
            )
        yield from _sizes(tensor, tensor.message.dims, "dims")
        yield from _sizes(tensor, tensor.message.reshape.shape, "reshape", "shape")


@rule(
    "SW217",
    "reshape",
    reason="the load fails: “has different size for dims and reshape”",
    source=CORE,
)
def reshape(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``reshape`` with another number of elements than ``dims``.

    The numbers are compared between each two variable dimensions.
    """
    for tensor in tensors(model):
        if not tensor.message.HasField("reshape"):
            continue
        dims, shape = list(tensor.message.dims), list(tensor.message.reshape.shape)
        message = tensor.config.message
        if (
            not shape
            and message is not None
            and message.max_batch_size == 0
            and not model.is_single_config
        ):
            what = "an empty reshape makes a scalar, which only a model with batches can have"
        elif runs(dims) != runs(shape):
            what = f"{tensor} cannot be reshaped from {dims} to {shape}"
        else:
            continue
        if dims and min(dims + shape) >= -1 and 0 not in dims + shape:
            fix = "as many elements on both sides of each -1, and as many -1"
            yield RuleHit(tensor.config.location(*tensor.path, "reshape"), what, fix)


@rule(
    "SW218",
    "input-format",
    reason="the load fails: “model input NHWC/NCHW require 3 dims”",
    source="Triton core, model_config_utils.cc (ValidateModelInput), and seen on 24.10",
)
def input_format(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find image formats on inputs without exactly three dimensions."""
    names = schema().ModelInput.Format
    for tensor in tensors(model):
        message = tensor.message.format if tensor.kind == "input" else 0
        if message in (names.Value(name) for name in FORMATS) and len(tensor.message.dims) != 3:
            yield RuleHit(
                tensor.config.location(*tensor.path, "format"),
                f"{tensor} has the format of an image and {len(tensor.message.dims)} dims",
                "three dims without the batch, or remove the format",
            )


@rule(
    "SW219",
    "tensorrt-only",
    reason="the load fails: “only supported for TensorRT platform”",
    source="Triton core, model_config_utils.cc (ValidateModelInput), and seen on 24.10",
)
def tensorrt_only(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find shape tensors and non-linear formats on another backend than TensorRT."""
    for tensor in tensors(model):
        backend = tensor.config.backend
        for field in ("is_shape_tensor", "is_non_linear_format_io"):
            if not getattr(tensor.message, field):
                continue
            if backend and backend != TENSORRT:
                what = f"{field} on the backend {backend!r}"
            elif field == "is_non_linear_format_io" and len(tensor.message.dims) != 3:
                what = (
                    f"{tensor} has a non-linear format and {len(tensor.message.dims)} dims, not 3"
                )
            else:
                continue
            yield RuleHit(tensor.config.location(*tensor.path, field), what, "remove it")


def _sizes(tensor: ConfigTensor, sizes: Any, *field: str) -> Iterator[RuleHit]:
    for number, size in enumerate(sizes):
        if size < 1 and size != -1:
            yield RuleHit(
                tensor.config.value_location(*tensor.path, *field, number),
                f"a dimension of {tensor} is {size}",
                "1 or more, or -1 for any",
            )


def runs(dims: list[int]) -> list[int]:
    """Return the numbers of elements before, between and after the variable dimensions."""
    runs = [1]
    for variable, group in groupby(dims, lambda dim: dim == -1):
        if variable:
            runs += [1] * len(list(group))
        else:
            runs[-1] = math.prod(group)
    return runs
