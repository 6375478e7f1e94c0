"""Names of models and tensors → Python's."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable

LONGEST = 30  # so that a line of a generated client keeps within 100 columns


def distinct(names: Iterable[str], reserved: Collection[str]) -> dict[str, str]:
    """An identifier in small letters for each name: valid, not ``reserved``, no two the same."""
    chosen: dict[str, str] = {}
    for name in names:
        word = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()[:LONGEST] or "tensor"
        if word[0].isdigit() or keyword.iskeyword(word) or word in reserved:
            word = f"tensor_{word}"
        number, free = 1, word
        while free in reserved or free in chosen.values():
            number += 1
            free = f"{word}_{number}"
        chosen[name] = free
    return chosen


def class_name(name: str) -> str:
    """``ScreenDetection`` for ``screen_detection``; to be followed by a word of the caller's."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(word[0].upper() + word[1:] for word in words)[:LONGEST] or "Model"
    return f"Model{joined}" if joined[0].isdigit() else joined
