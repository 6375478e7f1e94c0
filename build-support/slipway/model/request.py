"""Convert values to the tensors of a request, and report what does not fit before it is sent."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from slipway.errors import SlipwayError
from slipway.model import tensors
from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import Array


def fit(interface: Interface, inputs: Mapping[str, Any], *, name: str) -> dict[str, Array]:
    """Return ``inputs`` as the tensors that the model ``name`` declares, with the batch dimension.

    Arrays are kept unchanged; numbers, strings, bytes and lists of them are converted to the
    declared type, where nothing is lost. Sizes of 1 and the batch may be left out where that is
    unambiguous. ``None`` leaves an optional input out.

    Raises:
        SlipwayError: an input is unknown or missing, or its type or shape is not the
            declared one, or there are more rows than the model accepts at once.
    """
    values = {key: value for key, value in inputs.items() if value is not None}
    for key in values:
        if key not in interface.inputs:
            raise _unknown(key, interface.inputs, name)
    missing = [
        key for key, tensor in interface.inputs.items() if key not in values and not tensor.optional
    ]
    if missing:
        raise SlipwayError(
            f"{name} needs {_listed(missing)}", fix=f"its inputs: {describe_inputs(interface)}"
        )
    if not values and interface.inputs:
        raise SlipwayError(
            f"{name} needs one input at least",
            fix=f"its inputs: {describe_inputs(interface)}",
        )
    arrays = {
        key: tensors.array(key, value, interface.inputs[key], interface.batches)
        for key, value in values.items()
    }
    for key, array in arrays.items():
        _check_shape(key, array, interface, interface.inputs[key])
    _check_rows(arrays, interface, name)
    return arrays


def describe_inputs(interface: Interface) -> str:
    """Return the inputs as text: ``IMAGE BYTES [batch, 1], SIZE INT32 [batch, 2] (optional)``."""
    return ", ".join(
        f"{name} {tensor.datatype} {format_shape(interface, tensor)}"
        + (" (optional)" if tensor.optional else "")
        for name, tensor in interface.inputs.items()
    )


def format_shape(interface: Interface, tensor: Tensor) -> str:
    """Return the complete shape as text: ``batch`` for rows, ``any`` for other variable sizes."""
    sizes = ["any" if size == -1 else str(size) for size in tensor.dims]
    return f"[{', '.join((['batch'] if interface.batches else []) + sizes)}]"


def similar_names(name: str, names: Iterable[str]) -> list[str]:
    """Return those of ``names`` that are similar to ``name``, ignoring case."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    matches = difflib.get_close_matches(name.lower(), by_lower, cutoff=0.5)
    return [by_lower[lower] for lower in matches]


def _unknown(key: str, inputs: Mapping[str, Tensor], name: str) -> SlipwayError:
    similar = similar_names(key, inputs)
    return SlipwayError(
        f"{name} has no input {key!r}",
        fix=(
            f"did you mean {' or '.join(similar)}?" if similar else f"its inputs: {_listed(inputs)}"
        ),
    )


def _listed(names: Collection[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"


def _check_shape(name: str, array: Array, interface: Interface, declared: Tensor) -> None:
    wanted = interface.shape(declared)
    fits = array.ndim == len(wanted) and all(
        size in (-1, length) for size, length in zip(wanted, array.shape)
    )
    if not fits:
        raise SlipwayError(
            f"input {name!r} has the shape {list(array.shape)},"
            f" not {format_shape(interface, declared)}",
            fix=(
                f"batch is the number of rows, from 1 to {interface.max_batch_size}"
                if interface.batches
                else "the model does not accept batches: send one row in each request"
            ),
        )


def _check_rows(arrays: Mapping[str, Array], interface: Interface, name: str) -> None:
    if not interface.batches:
        return
    rows = {key: array.shape[0] for key, array in arrays.items()}
    if len(set(rows.values())) > 1:
        counts = ", ".join(f"{key} {count}" for key, count in rows.items())
        raise SlipwayError(
            f"the inputs have different numbers of rows: {counts}",
            fix="use the same number of rows for each input",
        )
    for count in set(rows.values()):
        if not 1 <= count <= interface.max_batch_size:
            raise SlipwayError(
                f"{count} rows, and {name} accepts 1 to {interface.max_batch_size} at once",
                fix="send at least one row" if not count else "send them in several requests",
            )
