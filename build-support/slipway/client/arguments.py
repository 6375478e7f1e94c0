"""Parse the inputs of a model from a command line: JSON, files and numpy arrays."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slipway.client import request
from slipway.endpoint.protocol import LARGEST_OF_ALL
from slipway.errors import SlipwayError
from slipway.model import tensors
from slipway.model.interface import Interface, refuse_null
from slipway.triton.datatypes import BYTES, Array


def parse_inputs(
    interface: Interface,
    *,
    name: str,
    files: Sequence[str] = (),
    text: str | None = None,
    arrays: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the inputs of the model ``name``, as :meth:`slipway.client.Model.predict` takes them.

    ``files`` (``FILE`` or ``INPUT=FILE``) become rows of a BYTES input, ``text`` is JSON for
    :func:`parse_json`, ``arrays`` (``FILE`` or ``INPUT=FILE``) are files of numpy. ``INPUT=`` may
    be left out where only one input is possible.

    Raises:
        SlipwayError: an input is unknown, set twice or ambiguous; a file cannot be read.
    """
    inputs = parse_json(interface, text, name) if text is not None else {}
    bytes_inputs = [key for key, tensor in interface.inputs.items() if tensor.datatype == BYTES]
    contents: dict[str, list[bytes]] = {}
    for argument in files:
        key, file = _assigned(argument, interface, bytes_inputs, name)
        if interface.inputs[key].datatype != BYTES:
            raise SlipwayError(
                f"input {key!r} is {interface.inputs[key].datatype}, and not for a file's bytes",
                fix=f"--npy {key}=FILE.npy for an array, or --data",
            )
        contents.setdefault(key, []).append(_read_file(file))
    for key, rows in contents.items():
        _refuse_duplicate(key, inputs)
        inputs[key] = _stack_rows(key, rows, interface) if interface.batches else rows
    for argument in arrays:
        key, file = _assigned(argument, interface, list(interface.inputs), name)
        _refuse_duplicate(key, inputs)
        inputs[key] = _load_array(file)
    return inputs


def parse_json(interface: Interface, text: str, name: str) -> dict[str, Any]:
    """Return the inputs in JSON: an object with a value for each input, or a list of objects.

    A value is one row or a list of rows; each object of a list is a row of a batch. Names match in
    any case and with other punctuation, where only one input is possible. An optional input that is
    null or missing in every row is left out. Where only some rows lack it, it is NaN in them, or an
    empty text; where it is not optional, null is NaN, which only floating-point inputs have.

    Raises:
        SlipwayError: it is neither, a name is unknown, or the rows differ in their fields or sizes.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SlipwayError(
            f"--data is not JSON: {error}", fix="""such as --data '{"fare": 7, "sex": "male"}'"""
        ) from error
    if isinstance(content, dict):
        return _without_null([_fields(interface, content, name)], interface)[0]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise SlipwayError(
            "--data is neither an object nor a list of objects",
            fix=f"such as {{NAME: value, …}}, with the inputs of {name}:"
            f" {request.describe_inputs(interface)}",
        )
    if not content:
        raise SlipwayError("--data has no rows", fix="add at least one row")
    rows = _without_null([_fields(interface, row, name) for row in content], interface)
    if not interface.batches:
        if len(rows) > 1:
            raise SlipwayError(
                f"{name} does not accept batches, and --data has {len(rows)} rows",
                fix="send each row in its own request",
            )
        return rows[0]
    for number, row in enumerate(rows[1:], 2):
        if set(row) != set(rows[0]):
            differing = ", ".join(sorted(set(row) ^ set(rows[0])))
            raise SlipwayError(
                f"row {number} has other fields than the first: {differing}",
                fix="use the same fields in every row",
            )
    return {key: _stack_rows(key, [row[key] for row in rows], interface) for key in rows[0]}


def _fields(interface: Interface, row: Mapping[str, Any], name: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for field, value in row.items():
        key = _input(field, interface, name)
        _refuse_duplicate(key, fields)
        fields[key] = value
    return fields


def _without_null(rows: list[dict[str, Any]], interface: Interface) -> list[dict[str, Any]]:
    """Return the rows without the optional inputs that no row has a value for, and others filled.

    Raises:
        SlipwayError: a value is null, and its type has no NaN.
    """
    optional = [key for key, tensor in interface.inputs.items() if tensor.optional]
    partly = [key for key in optional if any(row.get(key) is not None for row in rows)]
    empty = set(optional) - set(partly)
    filled = [{key: value for key, value in row.items() if key not in empty} for row in rows]
    for row in filled:
        for key in partly:
            if row.get(key) is None and interface.inputs[key].datatype == BYTES:
                row[key] = ""  # as what is missing in a column of text
            elif key not in row:
                row[key] = None
        for key in [key for key, value in row.items() if value is None]:
            refuse_null(key, None, interface.inputs[key].datatype)
            row[key] = math.nan
    return filled


def _input(text: str, interface: Interface, name: str) -> str:
    """Return the input that ``text`` names.

    Raises:
        SlipwayError: it names none, or more than one.
    """
    if text in interface.inputs:
        return text
    matches = [key for key in interface.inputs if key.lower() == text.lower()]
    matches = matches or [key for key in interface.inputs if _plain(key) == _plain(text)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise SlipwayError(
            f"{text!r} can mean {' or '.join(matches)}", fix="use the exact name of one of them"
        )
    similar = request.similar_names(text, interface.inputs)
    raise SlipwayError(
        f"{name} has no input {text!r}",
        fix=(
            f"did you mean {' or '.join(similar)}?"
            if similar
            else f"its inputs: {request.describe_inputs(interface)}"
        ),
    )


def _plain(name: str) -> str:
    """Return a name without case and punctuation, as columns lose them that become inputs."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _assigned(
    argument: str, interface: Interface, possible: Iterable[str], name: str
) -> tuple[str, Path]:
    """Return input and file of ``INPUT=FILE``, or of ``FILE`` if only one input is ``possible``."""
    prefix, equals, file = argument.partition("=")
    if equals and any(key.lower() == prefix.lower() for key in interface.inputs):
        return _input(prefix, interface, name), Path(file)
    candidates = list(possible)
    required = [key for key in candidates if not interface.inputs[key].optional]
    if len(required) == 1:
        candidates = required
    if len(candidates) == 1:
        return candidates[0], Path(argument)
    raise SlipwayError(
        f"which input is {argument}?",
        fix=f"write INPUT=FILE, with the inputs of {name}: {request.describe_inputs(interface)}",
    )


def _stack_rows(key: str, rows: list[Any], interface: Interface) -> Array:
    """Return the values of single rows as one array, with the batch dimension first."""
    arrays = [tensors.array(key, row, interface.inputs[key], False) for row in rows]
    for number, array in enumerate(arrays[1:], 2):
        if array.shape != arrays[0].shape:
            raise SlipwayError(
                f"input {key!r}: row {number} has the shape {list(array.shape)}, the first"
                f" {list(arrays[0].shape)}",
                fix="rows of one request have equal shapes: send several requests",
            )
    return np.stack(arrays)


def _refuse_duplicate(key: str, inputs: Mapping[str, Any]) -> None:
    if key in inputs:
        raise SlipwayError(f"input {key!r} is set twice", fix="set it once")


def _read_file(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST_OF_ALL:
            raise SlipwayError(
                f"larger than the limit of a request, {LARGEST_OF_ALL:,} bytes",
                where=str(file),
                fix="make it smaller: scale images down, or compress them",
            )
        return file.read_bytes()
    except OSError as error:
        raise SlipwayError(
            f"cannot be read: {error.strerror}",
            where=str(file),
            fix="name a file that exists and is readable",
        ) from error


def _load_array(file: Path) -> Array:
    try:
        loaded: Array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SlipwayError(
            f"not a readable numpy array: {error}",
            where=str(file),
            fix="write it with numpy.save(file, array, allow_pickle=False)",
        ) from error
    if not isinstance(loaded, np.ndarray):
        raise SlipwayError(
            "it contains several arrays",
            where=str(file),
            fix="save each array in its own .npy file",
        )
    return loaded
