"""Values → the tensors of a request. Whatever does not fit is named before anything is sent."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from slipway.comparison import datatype
from slipway.endpoint.failure import LARGEST_BODY
from slipway.errors import SlipwayError
from slipway.interface import BYTES, Interface, Tensor, as_array, numpy_type
from slipway.kserve import Array

# what numpy makes of plain values by itself, for each kind that is declared
GIVEN = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}
SAID = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "true or false"}


def fit(interface: Interface, inputs: Mapping[str, Any], *, name: str) -> dict[str, Array]:
    """``inputs`` as the tensors that the model ``name`` declares, batch included.

    Arrays go as they are; numbers, strings, bytes and lists of them take the declared type, where
    nothing is lost. Sizes of 1 and the batch may be left out where one reading remains. ``None``
    stands for an optional input that is not given.

    Raises:
        SlipwayError: an input is unknown or missing, or its type or shape is another one than
            declared, or there are more rows than the model takes at once.
    """
    given = {key: value for key, value in inputs.items() if value is not None}
    for key in given:
        if key not in interface.inputs:
            raise _unknown(key, interface.inputs, name)
    missing = [
        key for key, tensor in interface.inputs.items() if key not in given and not tensor.optional
    ]
    if missing:
        raise SlipwayError(
            f"{name} needs {_listed(missing)}", fix=f"its inputs: {described(interface)}"
        )
    arrays = {
        key: array(key, value, interface.inputs[key], interface.batches)
        for key, value in given.items()
    }
    for key, made in arrays.items():
        _check_shape(key, made, interface, interface.inputs[key])
    _check_rows(arrays, interface, name)
    return arrays


def array(name: str, value: Any, declared: Tensor, batches: bool) -> Array:
    """``value`` as an array of the input's declared type; with ``batches``, the batch comes first.

    Raises:
        SlipwayError: it is of another type, or would lose something; or its shape can be read in
            more than one way.
    """
    plain = not isinstance(value, np.ndarray)
    if plain and declared.datatype != BYTES:
        _check_values(name, value, declared)
    with np.errstate(over="ignore"):  # an overflow is refused below
        made = as_array(name, value, declared, batches)
    if declared.datatype == BYTES:
        return _texts(name, made)
    if made.dtype != numpy_type(declared.datatype):
        raise SlipwayError(
            f"input {name!r} is {declared.datatype}, but the array is {datatype(made)}"
            f" ({made.dtype})",
            fix=f"convert it: .astype(numpy.{np.dtype(numpy_type(declared.datatype)).name})",
        )
    if plain and made.dtype.kind == "f" and _overflowed(value, made):
        raise SlipwayError(
            f"input {name!r} is {declared.datatype}, and a number is too large for it",
            fix=f"its largest is {np.finfo(made.dtype).max}",
        )
    return made


def check_size(body: bytes, arrays: Mapping[str, Array], interface: Interface) -> None:
    """Refuse a body that SageMaker refuses.

    Raises:
        SlipwayError: it is larger than 6 MiB; says how many rows would fit.
    """
    if len(body) <= LARGEST_BODY:
        return
    rows = next(iter(arrays.values())).shape[0] if interface.batches and arrays else 1
    fits = rows * LARGEST_BODY // len(body)
    raise SlipwayError(
        f"the request has {len(body):,} bytes, and SageMaker takes {LARGEST_BODY:,}",
        fix=(
            f"send about {fits} of the {rows} rows at once"
            if fits and rows > 1
            else "make it smaller: scale pictures down, or compress them"
        ),
    )


def described(interface: Interface) -> str:
    """The inputs in words, such as ``IMAGE BYTES [n, 1], SIZE INT32 [n, 2] (optional)``."""
    return ", ".join(
        f"{name} {tensor.datatype} {shape(interface, tensor)}"
        + (" (optional)" if tensor.optional else "")
        for name, tensor in interface.inputs.items()
    )


def shape(interface: Interface, tensor: Tensor) -> str:
    """The whole shape in words: ``n`` for the batch, ``any`` for another free size."""
    sizes = ["any" if size == -1 else str(size) for size in tensor.dims]
    return f"[{', '.join((['n'] if interface.batches else []) + sizes)}]"


def near(word: str, known: Iterable[str]) -> list[str]:
    """Which of ``known`` may have been meant, in whatever case."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), by_lower, cutoff=0.5)
    return [by_lower[lower] for lower in found]


def _unknown(key: str, inputs: Mapping[str, Tensor], name: str) -> SlipwayError:
    meant = near(key, inputs)
    return SlipwayError(
        f"{name} has no input {key!r}",
        fix=f"did you mean {' or '.join(meant)}?" if meant else f"its inputs: {_listed(inputs)}",
    )


def _listed(names: Collection[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"


def _check_values(name: str, value: Any, declared: Tensor) -> None:
    """Refuse plain values that numpy would bend: 1.7 to 1, 300 to 44, None to nan, "2" to 2."""
    wanted = np.dtype(numpy_type(declared.datatype))
    try:
        found = np.asarray(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SlipwayError(
            f"input {name!r}: not an array of {SAID[wanted.kind]}: {error}",
            fix="lists within a list must be equally long",
        ) from error
    whole = wanted.kind in "iu"
    if found.dtype == object and whole and all(type(v) is int for v in found.ravel()):
        outside = True  # larger than numpy's largest
    elif found.size and found.dtype.kind not in GIVEN[wanted.kind]:
        raise SlipwayError(
            f"input {name!r} is {declared.datatype}: {SAID[wanted.kind]}, not {_first(value)!r:.80}",
            fix=f"give {SAID[wanted.kind]}",
        )
    else:
        limits = np.iinfo(wanted) if whole and found.size else None
        outside = limits is not None and not (
            limits.min <= int(found.min()) and int(found.max()) <= limits.max
        )
    if outside:
        raise SlipwayError(
            f"input {name!r} is {declared.datatype}, and a number is too large or too small for it",
            fix=f"from {np.iinfo(wanted).min} to {np.iinfo(wanted).max}",
        )


def _overflowed(value: Any, made: Array) -> bool:
    """Whether a finite number became an infinite one."""
    return bool(
        (np.isfinite(np.asarray(value, np.float64)).ravel() != np.isfinite(made).ravel()).any()
    )


def _first(value: Any) -> Any:
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return value


def _texts(name: str, made: Array) -> Array:
    """The strings and bytes of ``made`` as bytes."""
    if made.dtype.kind not in "OSU":
        raise SlipwayError(
            f"input {name!r} is BYTES, but the array is {datatype(made)} ({made.dtype})",
            fix="give strings, bytes, or an array of them",
        )
    encoded = np.empty(made.shape, dtype=object)
    for index, element in np.ndenumerate(made):
        if isinstance(element, str):
            encoded[index] = _utf8(name, element)
        elif isinstance(element, bytes):
            encoded[index] = bytes(element)
        else:
            raise SlipwayError(
                f"input {name!r} is BYTES: strings or bytes, not {element!r:.80}",
                fix=(
                    f"give str(value), if its digits are meant"
                    if isinstance(element, int | float)
                    else "give strings or bytes"
                ),
            )
    return encoded


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise SlipwayError(
            f"input {name!r}: {text!r:.80} is no valid Unicode", fix="give it as bytes"
        ) from error


def _check_shape(name: str, made: Array, interface: Interface, declared: Tensor) -> None:
    wanted = interface.shape(declared)
    fits = made.ndim == len(wanted) and all(
        size in (-1, given) for size, given in zip(wanted, made.shape)
    )
    if not fits:
        raise SlipwayError(
            f"input {name!r} has the shape {list(made.shape)}, not {shape(interface, declared)}",
            fix=(
                f"n is the number of rows, from 1 to {interface.max_batch_size}"
                if interface.batches
                else "the model takes no batches: one request, one row"
            ),
        )


def _check_rows(arrays: Mapping[str, Array], interface: Interface, name: str) -> None:
    if not interface.batches:
        return
    rows = {key: made.shape[0] for key, made in arrays.items()}
    if len(set(rows.values())) > 1:
        said = ", ".join(f"{key} {count}" for key, count in rows.items())
        raise SlipwayError(
            f"the inputs have different numbers of rows: {said}", fix="give each as many"
        )
    for count in set(rows.values()):
        if not 1 <= count <= interface.max_batch_size:
            raise SlipwayError(
                f"{count} rows, and {name} takes 1 to {interface.max_batch_size} at once",
                fix="give one row at least" if not count else "send them in several requests",
            )
