"""Recognise what a row is: a picture, a recording, a text, or columns of a table."""

from __future__ import annotations

from slipway.errors import SlipwayError
from slipway.explain.asker import Row
from slipway.explain.explanation import Kind
from slipway.explain.picture import (
    Picture,
    decode_picture,
    picture_of_tensor,
    recording_of_tensor,
)
from slipway.model.interface import Interface
from slipway.triton.datatypes import Array

SHORTEST_RECORDING = 256  # numbers of a tensor whose length is declared; free ones are recordings


def recognise(interface: Interface, row: Row, wished: Kind | None) -> tuple[Kind, str]:
    """Return what ``row`` is, and the input that has the picture, recording or text.

    Other inputs stay as they are. Several inputs of one element each are the columns of a table.

    Raises:
        SlipwayError: it is not ``wished``, or of more than one kind.
    """
    if not row:
        raise SlipwayError("the request has no input", fix="give values with --data or a FILE")
    kinds = {name: _kind(interface, name, row[name], len(row)) for name in row}
    special = [name for name, kind in kinds.items() if kind != "row"]
    if wished == "row" or (wished is None and not special):
        return "row", ""
    if wished is not None:
        special = _of_kind(row, wished)
    if not special:
        raise SlipwayError(
            f"no input is of kind {wished}",
            fix="leave --as out, or give another input",
        )
    if len(special) > 1:
        order = {"image": 0, "audio": 1, "text": 2}
        special.sort(key=lambda name: order.get(kinds[name], 3))
    name = special[0]
    return wished or kinds[name], name


def _of_kind(row: Row, wished: Kind) -> list[str]:
    """Return the inputs that can be taken for ``wished``."""

    def fits(array: Array) -> bool:
        single = array.dtype == object and array.size == 1
        if wished == "audio":
            return array.dtype != object and max(array.shape) == array.size > 8
        return single or (wished == "image" and array.dtype != object and array.ndim >= 2)

    return [name for name, array in row.items() if fits(array)]


def _kind(interface: Interface, name: str, array: Array, inputs: int) -> Kind:
    if array.dtype == object:
        if array.size != 1:
            return "row"
        content = array.ravel()[0]
        if isinstance(content, bytes) and _is_picture(content):
            return "image"
        return "text" if len(interface.inputs) == 1 else "row"
    if picture_of_tensor({name: array}, name) is not None:
        return "image"
    free = -1 in interface.inputs[name].dims
    flat = array.size > 1 and max(array.shape) == array.size
    if flat and array.size >= (16 if free else SHORTEST_RECORDING) and inputs == 1:
        return "audio"
    return "row"


def _is_picture(content: bytes) -> bool:
    """Return whether Pillow knows the head of a file."""
    import io

    from PIL import Image, UnidentifiedImageError

    try:
        Image.open(io.BytesIO(content)).close()
    except UnidentifiedImageError:
        return False
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return True  # known, and damaged: decoding says so
    return True


def open_picture(row: Row, name: str, kind: Kind, largest: int) -> Picture:
    """Return the picture or recording of the input ``name``.

    Raises:
        SlipwayError: it is none, or damaged.
    """
    array = row[name]
    if kind == "audio":
        return recording_of_tensor(row, name)
    picture = (
        decode_picture(row, name, largest)
        if array.dtype == object
        else picture_of_tensor(row, name)
    )
    if picture is None:
        raise SlipwayError(
            f"{name} is not a picture", fix="leave --as out, or give a file that Pillow knows"
        )
    return picture
