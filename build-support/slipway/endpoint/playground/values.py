"""The tensors of a request, from what was filled in on the page.

Values arrive as the text that was typed: JavaScript's numbers would round INT64, and know no
``1.0``. Files arrive as base64.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from slipway.errors import SlipwayError
from slipway.model import tensors
from slipway.model.interface import Interface, Tensor
from slipway.model.request import fit
from slipway.triton.datatypes import BYTES, Array

NPY = b"\x93NUMPY"
KINDS = ("text", "json", "file")


class Field(NamedTuple):
    """What was filled in for one input of one row. ``value`` is the text, or a file's bytes, and
    ``name`` the file's."""

    kind: Literal["text", "json", "file"]
    value: str | bytes
    name: str = ""


Row = Mapping[str, Field]
# of an optional input that some rows lack
NAN = Field("json", "NaN")
MISSING = {BYTES: Field("text", ""), "FP16": NAN, "FP32": NAN, "FP64": NAN}


def parse_rows(value: Any) -> list[Row]:
    """Return the rows of a request of the page; an input that is left out is not in its row.

    Raises:
        SlipwayError: it is malformed.
    """
    if not isinstance(value, list) or not value:
        raise _malformed("rows is no list with a row")
    return [
        {str(name): _field(str(name), entry) for name, entry in _object(row).items()}
        for row in value
    ]


def parse_parameters(text: Any) -> dict[str, Any]:
    """Return the parameters of a request, such as ``sequence_id``; empty without any.

    Raises:
        SlipwayError: they are no JSON object.
    """
    if not text:
        return {}
    try:
        value = json.loads(str(text))
    except (ValueError, RecursionError) as error:
        value = error
    if isinstance(value, dict):
        return value
    raise SlipwayError(
        f"the parameters are no JSON object: {text!s:.80}",
        fix='such as {"sequence_id": 7, "sequence_start": true}',
    )


def to_arrays(interface: Interface, rows: Sequence[Row], name: str) -> dict[str, Array]:
    """Return the tensors of ``rows``, which the model ``name`` declares.

    Raises:
        SlipwayError: as :func:`slipway.model.request.fit`; or rows have different sizes, or
            one lacks what another has.
    """
    rows = _filled(interface, rows)
    if len(rows) > 1 and not interface.batches:
        raise SlipwayError(
            f"{name} does not accept batches, and there are {len(rows)} rows",
            fix="remove all rows but one",
        )
    values: dict[str, Any] = {}
    for key, field in rows[0].items():
        declared = interface.inputs.get(key)
        if declared is None:
            values[key] = ""  # `fit` names the inputs that there are
        elif len(rows) == 1:
            value = _value(key, field, declared)
            values[key] = _as_row(key, value, declared) if interface.batches else value
        else:
            values[key] = _stacked(key, [row[key] for row in rows], declared)
    return fit(interface, values, name=name)


def _filled(interface: Interface, rows: Sequence[Row]) -> list[Row]:
    """Return the rows with what some of them lack of an optional input: an empty text, or NaN, as
    ``slipway invoke --data`` fills it.

    Raises:
        SlipwayError: a type has neither, or the input is not optional.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    filled: list[Row] = []
    for number, row in enumerate(rows, 1):
        values = dict(row)
        for name in names:
            if name in row:
                continue
            declared = interface.inputs.get(name)
            missing = MISSING.get(declared.datatype) if declared and declared.optional else None
            if missing is None:
                raise SlipwayError(
                    f"row {number} has no value for {name}, and another row has",
                    fix="fill it in every row, or leave an optional input out of all",
                )
            values[name] = missing
        filled.append(values)
    return filled


def _as_row(key: str, value: Any, declared: Tensor) -> Any:
    """Return the value of the only row as a batch of one; a whole batch, which may be typed too,
    as it is."""
    try:
        row = tensors.array(key, value, declared, False)
    except SlipwayError:
        return value  # `fit` says what is wrong, of a batch as of a row
    fits = row.ndim == len(declared.dims) and all(
        size in (-1, length) for size, length in zip(declared.dims, row.shape, strict=True)
    )
    return row[np.newaxis] if fits else value


def _stacked(key: str, fields: Sequence[Field], declared: Tensor) -> Array:
    arrays = [tensors.array(key, _value(key, field, declared), declared, False) for field in fields]
    for number, array in enumerate(arrays, 1):
        if array.shape != arrays[0].shape:
            raise SlipwayError(
                f"input {key!r}: row {number} has the shape {list(array.shape)}, the first"
                f" {list(arrays[0].shape)}",
                fix="rows of one request have equal shapes: send several requests",
            )
    return np.stack(arrays)


def _value(key: str, field: Field, declared: Tensor) -> Any:
    if isinstance(field.value, bytes):
        return _of_file(key, field, declared)
    if declared.datatype == BYTES and field.kind == "text":
        return field.value
    text = field.value.strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        problem = error
    if declared.datatype != BYTES and not text.startswith("["):
        try:  # as one types them: 1, 2, 3 or 1 2 3
            return json.loads(f"[{', '.join(text.replace(',', ' ').split())}]")
        except (ValueError, RecursionError):
            pass
    raise SlipwayError(
        f"input {key!r}: not JSON: {problem}",
        fix=(
            'such as ["a", "b"]; a text as it is goes into the field for text'
            if declared.datatype == BYTES
            else "such as 1.5, or [1, 2, 3], or [[1, 2], [3, 4]]; NaN and Infinity are allowed"
        ),
    )


def _of_file(key: str, field: Field, declared: Tensor) -> Any:
    data = field.value
    assert isinstance(data, bytes)
    if declared.datatype == BYTES:
        return data
    if not data.startswith(NPY):
        raise SlipwayError(
            f"input {key!r} is {declared.datatype}, and {field.name or 'the file'} is no array",
            fix="choose a .npy file (numpy.save), or type the numbers",
        )
    try:
        loaded: Array = np.load(io.BytesIO(data), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SlipwayError(
            f"input {key!r}: {field.name or 'the file'} is no readable numpy array: {error}",
            fix="write it with numpy.save(file, array, allow_pickle=False)",
        ) from error
    return loaded


def _field(name: str, entry: Any) -> Field:
    entry = _object(entry)
    kind, value = entry.get("kind"), entry.get("value")
    if kind not in KINDS or not isinstance(value, str):
        raise _malformed(f"input {name!r} has no kind of {', '.join(KINDS)} and a text as value")
    if kind != "file":
        return Field(kind, value)
    try:
        data = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise _malformed(f"input {name!r} is no base64: {error}") from error
    return Field("file", data, str(entry.get("name", "")))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _malformed(f"{value!r:.80} is no object")
    return value


def _malformed(what: str) -> SlipwayError:
    return SlipwayError(
        f"not a request of the playground: {what}", fix="reload the page, which is of this version"
    )
