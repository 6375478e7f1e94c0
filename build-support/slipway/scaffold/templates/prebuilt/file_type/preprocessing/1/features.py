"""From the bytes of a file to the numbers that the network sees, as Magika makes them.

magika/magika.py, _extract_features_from_seekable and _get_label_from_few_bytes, 1.0.3.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

NUMBERS = json.loads(Path(__file__).with_name("features.json").read_text())
BEGIN, END, BLOCK = NUMBERS["begin"], NUMBERS["end"], NUMBERS["block"]
PADDING = NUMBERS["padding"]
"""Stands for a byte that the file does not have."""

FEWEST = NUMBERS["fewest"]
"""Bytes. Of fewer, without white space, the network is not asked."""

NOTHING = np.full(BEGIN + END, PADDING, dtype=np.int32)


def features(content: bytes) -> tuple[Any, bytes]:
    """Return the numbers INT32 [BEGIN + END], and the type where it is known without the network.

    Only the first and the last BLOCK bytes matter.
    """
    if not content:
        return NOTHING, b"empty"
    head = content[:BLOCK].lstrip()
    if len(content) < FEWEST or len(head) < FEWEST:
        return NOTHING, _type_of_few(content[:BLOCK])
    numbers = NOTHING.copy()
    head = head[:BEGIN]
    numbers[: len(head)] = np.frombuffer(head, dtype=np.uint8)
    tail = content[-BLOCK:].rstrip()[-END:]
    numbers[len(numbers) - len(tail) :] = np.frombuffer(tail, dtype=np.uint8)
    return numbers, b""


def _type_of_few(content: bytes) -> bytes:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return b"unknown"
    return b"txt"
