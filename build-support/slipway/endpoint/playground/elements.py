"""Elements of tensors as text: exact, whatever their type, since JavaScript has float64 only."""

from __future__ import annotations

import base64
import math
import unicodedata
from typing import Any

import numpy as np

from slipway.triton.datatypes import Array

SHOWN = 400  # elements of an output on the page
LONGEST = 4_000  # characters of one text on the page
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # reorder what follows
HEX = 32  # first bytes of what is no text
# the beginnings of pictures and sounds that every browser shows; no SVG, which may hold scripts
MEDIA = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"ID3": "audio/mpeg",
    b"OggS": "audio/ogg",
    b"fLaC": "audio/flac",
}


def element_text(element: Any) -> str:
    """Return a number with the fewest digits that keep it in its own type, or ``NaN``,
    ``Infinity``, ``-Infinity``, ``true``, ``false``."""
    if isinstance(element, (bool, np.bool_)):
        return "true" if element else "false"
    if isinstance(element, (float, np.floating)) and not math.isfinite(element):
        return "NaN" if math.isnan(element) else "Infinity" if element > 0 else "-Infinity"
    return str(element)


def array_texts(array: Array, most: int = SHOWN) -> list[str]:
    """Return the first ``most`` elements, in row-major order, as text."""
    return [element_text(element) for element in array.ravel()[:most]]


def media_type(data: bytes) -> str | None:
    """Return the type of a picture or sound that a browser can show, by its first bytes."""
    for magic, kind in MEDIA.items():
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] in (b"WEBP", b"WAVE"):
        return "image/webp" if data[8:12] == b"WEBP" else "audio/wav"
    return None


def describe_bytes(data: bytes) -> dict[str, Any]:
    """Return an element of BYTES as the page shows it: a picture or sound whole, a text with its
    control characters written out, the first bytes of anything else."""
    described: dict[str, Any] = {"size": len(data)}
    kind = media_type(data)
    if kind is not None:
        return described | {"media": kind, "base64": base64.b64encode(data).decode()}
    try:
        text = data.decode()
    except UnicodeDecodeError:
        more = " …" if len(data) > HEX else ""
        return described | {
            "hex": data[:HEX].hex(" ") + more,
            "base64": base64.b64encode(data).decode(),
        }
    shown = _visible(text[:LONGEST])
    described |= {"text": shown, "escaped": shown != text[:LONGEST]}
    return described | ({"left_out": len(text) - LONGEST} if len(text) > LONGEST else {})


def _visible(text: str) -> str:
    """Write out what a reader could not see, or what would reorder the text around it."""
    return "".join(_escaped(character) if _hides(character) else character for character in text)


def _hides(character: str) -> bool:
    if character in "\n\t":
        return False
    return unicodedata.category(character) == "Cc" or unicodedata.bidirectional(character) in BIDI


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
