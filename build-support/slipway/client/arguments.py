"""What a command line gives a model: JSON, files, arrays of numpy's → values by input."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slipway.client import request, tensors
from slipway.endpoint.protocol import LARGEST_BODY
from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.triton.datatypes import BYTES, Array


def values(
    interface: Interface,
    *,
    name: str,
    files: Sequence[str] = (),
    text: str | None = None,
    arrays: Sequence[str] = (),
) -> dict[str, Any]:
    """The inputs of the model ``name``, as :meth:`slipway.client.Model.predict` takes them.

    ``files`` (``FILE`` or ``INPUT=FILE``) become rows of a BYTES input, ``text`` is JSON as
    :func:`of_json` reads it, ``arrays`` (``FILE`` or ``INPUT=FILE``) are numpy's files. ``INPUT=``
    may be left out where one input only can be meant.

    Raises:
        SlipwayError: an input is unknown, given twice or cannot be told; a file cannot be read.
    """
    found = of_json(interface, text, name) if text is not None else {}
    taken = [key for key, tensor in interface.inputs.items() if tensor.datatype == BYTES]
    contents: dict[str, list[bytes]] = {}
    for argument in files:
        key, file = _assigned(argument, interface, taken, name)
        if interface.inputs[key].datatype != BYTES:
            raise SlipwayError(
                f"input {key!r} is {interface.inputs[key].datatype}, and takes no file's bytes",
                fix=f"--npy {key}=FILE.npy for an array, or --data",
            )
        contents.setdefault(key, []).append(_read(file))
    for key, rows in contents.items():
        _once(key, found)
        found[key] = _stacked(key, rows, interface) if interface.batches else rows
    for argument in arrays:
        key, file = _assigned(argument, interface, list(interface.inputs), name)
        _once(key, found)
        found[key] = _load(file)
    return found


def of_json(interface: Interface, text: str, name: str) -> dict[str, Any]:
    """The inputs that JSON says: an object with a value for each input (one row, or a list of
    rows), or a list of objects, each a row of a batch.

    Names match in any case, where one input only can be meant. ``null`` is no value.

    Raises:
        SlipwayError: it is neither, a name is unknown, or the rows differ in their fields or sizes.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SlipwayError(
            f"--data is not JSON: {error}", fix="""such as --data '{"fare": 7, "sex": "male"}'"""
        ) from error
    if isinstance(said, dict):
        return _fields(interface, said, name)
    if not isinstance(said, list) or not all(isinstance(row, dict) for row in said):
        raise SlipwayError(
            "--data is neither an object nor a list of objects",
            fix=f"such as {{NAME: value, …}}, with the inputs of {name}:"
            f" {request.described(interface)}",
        )
    if not said:
        raise SlipwayError("--data has no rows", fix="give one at least")
    rows = [_fields(interface, row, name) for row in said]
    if not interface.batches:
        if len(rows) > 1:
            raise SlipwayError(
                f"{name} takes no batches, and --data has {len(rows)} rows",
                fix="send them one by one",
            )
        return rows[0]
    for number, row in enumerate(rows[1:], 2):
        if set(row) != set(rows[0]):
            differing = ", ".join(sorted(set(row) ^ set(rows[0])))
            raise SlipwayError(
                f"row {number} has other fields than the first: {differing}",
                fix="give every row the same fields",
            )
    return {key: _stacked(key, [row[key] for row in rows], interface) for key in rows[0]}


def _fields(interface: Interface, said: Mapping[str, Any], name: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for field, value in said.items():
        key = _input(field, interface, name)
        _once(key, fields)
        if value is not None:
            fields[key] = value
    return fields


def _input(word: str, interface: Interface, name: str) -> str:
    """The input that ``word`` names.

    Raises:
        SlipwayError: none, or more than one.
    """
    if word in interface.inputs:
        return word
    meant = [key for key in interface.inputs if key.lower() == word.lower()]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise SlipwayError(f"{word!r} can mean {' or '.join(meant)}", fix="write it as one of them")
    near = request.near(word, interface.inputs)
    raise SlipwayError(
        f"{name} has no input {word!r}",
        fix=(
            f"did you mean {' or '.join(near)}?"
            if near
            else f"its inputs: {request.described(interface)}"
        ),
    )


def _assigned(
    argument: str, interface: Interface, possible: Iterable[str], name: str
) -> tuple[str, Path]:
    """Input and file of ``INPUT=FILE``, or of ``FILE`` where one input only is ``possible``."""
    word, equals, file = argument.partition("=")
    if equals and any(key.lower() == word.lower() for key in interface.inputs):
        return _input(word, interface, name), Path(file)
    chosen = list(possible)
    required = [key for key in chosen if not interface.inputs[key].optional]
    if len(required) == 1:
        chosen = required
    if len(chosen) == 1:
        return chosen[0], Path(argument)
    raise SlipwayError(
        f"which input is {argument}?",
        fix=f"write INPUT=FILE, with the inputs of {name}: {request.described(interface)}",
    )


def _stacked(key: str, rows: list[Any], interface: Interface) -> Array:
    """The values of single rows as one array, the batch first."""
    arrays = [tensors.array(key, row, interface.inputs[key], False) for row in rows]
    for number, array in enumerate(arrays[1:], 2):
        if array.shape != arrays[0].shape:
            raise SlipwayError(
                f"input {key!r}: row {number} has the shape {list(array.shape)}, the first"
                f" {list(arrays[0].shape)}",
                fix="rows of one request have equal shapes: send them in several",
            )
    return np.stack(arrays)


def _once(key: str, found: Mapping[str, Any]) -> None:
    if key in found:
        raise SlipwayError(f"input {key!r} is given twice", fix="give it once")


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST_BODY:
            raise SlipwayError(
                f"larger than a whole request may be, {LARGEST_BODY:,} bytes",
                where=str(file),
                fix="make it smaller: scale pictures down, or compress them",
            )
        return file.read_bytes()
    except OSError as error:
        raise SlipwayError(
            f"cannot be read: {error.strerror}", where=str(file), fix="name a file that is there"
        ) from error


def _load(file: Path) -> Array:
    try:
        loaded: Array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SlipwayError(
            f"not read as an array of numpy's: {error}",
            where=str(file),
            fix="write it with numpy.save(file, array, allow_pickle=False)",
        ) from error
    if not isinstance(loaded, np.ndarray):
        raise SlipwayError(
            "it holds several arrays", where=str(file), fix="save each in an .npy of its own"
        )
    return loaded
