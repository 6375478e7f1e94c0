"""Convert names of models and tensors to Python identifiers."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable

MAX_LENGTH = 30  # so that a line of a generated client fits in 100 columns


def distinct_identifiers(names: Iterable[str], reserved: Collection[str]) -> dict[str, str]:
    """Return a lower-case identifier for each name: valid, not ``reserved``, and unique."""
    identifiers: dict[str, str] = {}
    for name in names:
        identifier = (
            re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()[:MAX_LENGTH] or "tensor"
        )
        if identifier[0].isdigit() or keyword.iskeyword(identifier) or identifier in reserved:
            identifier = f"tensor_{identifier}"
        number, candidate = 1, identifier
        while candidate in reserved or candidate in identifiers.values():
            number += 1
            candidate = f"{identifier}_{number}"
        identifiers[name] = candidate
    return identifiers


def class_name(name: str) -> str:
    """Return ``ScreenDetection`` for ``screen_detection``; the caller appends a suffix."""
    parts = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(part[0].upper() + part[1:] for part in parts)[:MAX_LENGTH] or "Model"
    return f"Model{joined}" if joined[0].isdigit() else joined
