"""Convert plain values to arrays of the types that a model declares, where nothing is lost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.model.interface import Tensor, as_array, refuse_null
from slipway.triton.datatypes import BYTES, Array, datatype_of, numpy_type

# the kinds that numpy infers for plain values, by the declared kind
INFERRED = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}
EXPECTED = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "true or false"}


def array(name: str, value: Any, declared: Tensor, batches: bool) -> Array:
    """Return ``value`` as an array of the declared type; with ``batches``, the batch is first.

    Raises:
        SlipwayError: it is of another type, or would lose something; or its shape is ambiguous.
    """
    plain = not isinstance(value, np.ndarray)
    if plain:
        refuse_null(name, value, declared.datatype)
    if plain and declared.datatype != BYTES:
        _check_values(name, value, declared)
    with np.errstate(over="ignore"):  # an overflow is refused below
        converted = as_array(name, value, declared, batches)
    if declared.datatype == BYTES:
        return _texts(name, converted)
    if converted.dtype != numpy_type(declared.datatype):
        raise SlipwayError(
            f"input {name!r} is {declared.datatype}, but the array is {datatype_of(converted)}"
            f" ({converted.dtype})",
            fix=f"convert it: .astype(numpy.{np.dtype(numpy_type(declared.datatype)).name})",
        )
    if plain and converted.dtype.kind == "f" and _overflowed(value, converted):
        raise SlipwayError(
            f"input {name!r} is {declared.datatype}, and a number is too large for it",
            fix=f"its largest is {np.finfo(converted.dtype).max}",
        )
    return converted


def _check_values(name: str, value: Any, declared: Tensor) -> None:
    """Raise for plain values that numpy would alter: 1.7 to 1, 300 to 44, "2" to 2."""
    wanted = np.dtype(numpy_type(declared.datatype))
    try:
        inferred = np.asarray(value)
        if inferred.dtype == object and wanted.kind == "f":
            inferred = np.asarray(_nulls_as_nan(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise SlipwayError(
            f"input {name!r}: not an array of {EXPECTED[wanted.kind]}: {error}",
            fix="lists within a list must be equally long",
        ) from error
    integral = wanted.kind in "iu"
    if inferred.dtype == object and integral and all(type(v) is int for v in inferred.ravel()):
        outside = True  # larger than numpy's largest
    elif inferred.size and inferred.dtype.kind not in INFERRED[wanted.kind]:
        raise SlipwayError(
            f"input {name!r} is {declared.datatype}: {EXPECTED[wanted.kind]},"
            f" not {_first_unlike(value, INFERRED[wanted.kind])!r:.80}",
            fix=f"give {EXPECTED[wanted.kind]}",
        )
    else:
        limits = np.iinfo(wanted) if integral and inferred.size else None
        outside = limits is not None and not (
            limits.min <= int(inferred.min()) and int(inferred.max()) <= limits.max
        )
    if outside:
        raise SlipwayError(
            f"input {name!r} is {declared.datatype}, and a number is too large or too small for it",
            fix=f"from {np.iinfo(wanted).min} to {np.iinfo(wanted).max}",
        )


def _overflowed(value: Any, converted: Array) -> bool:
    """Return whether a finite number became an infinite one."""
    return bool(
        (np.isfinite(np.asarray(value, np.float64)).ravel() != np.isfinite(converted).ravel()).any()
    )


def _nulls_as_nan(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_nulls_as_nan(element) for element in value]
    return math.nan if value is None else value


def _first_unlike(value: Any, kinds: str) -> Any:
    """Return the first element that numpy takes for another kind; if there is none, the value."""
    if not isinstance(value, (list, tuple)):
        return value
    for element in value:
        leaf = _first_unlike(element, kinds)
        if leaf is not None and np.asarray(leaf).dtype.kind not in kinds:
            return leaf
    return value[0] if value else value


def _texts(name: str, converted: Array) -> Array:
    """Return the strings and bytes of ``converted`` as bytes."""
    if converted.dtype.kind not in "OSU":
        raise SlipwayError(
            f"input {name!r} is BYTES, but the array is {datatype_of(converted)}"
            f" ({converted.dtype})",
            fix="give strings, bytes, or an array of them",
        )
    encoded = np.empty(converted.shape, dtype=object)
    for index, element in np.ndenumerate(converted):
        if isinstance(element, str):
            encoded[index] = _utf8(name, element)
        elif isinstance(element, bytes):
            encoded[index] = bytes(element)
        else:
            raise SlipwayError(
                f"input {name!r} is BYTES: strings or bytes, not {element!r:.80}",
                fix=(
                    "convert the number with str()"
                    if isinstance(element, (int, float))
                    else "give strings or bytes"
                ),
            )
    return encoded


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise SlipwayError(
            f"input {name!r}: {text!r:.80} is not valid Unicode", fix="give it as bytes"
        ) from error
