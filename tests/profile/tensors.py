"""Tensors of every kind, drawn with a seed."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from slipway.triton.datatypes import Array

WORDS = "the a good bad day film was very not and it of we saw long short quiet loud fine".split()


def objects(values: Sequence[object]) -> Array:
    """A column of bytes, as requests have them."""
    array = np.empty((len(values), 1), dtype=object)
    array[:, 0] = values
    return array


def numbers(rows: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(20, 5, (rows, 1)).astype(np.float32)


def names(rows: int, seed: int = 1) -> Array:
    drawn = np.random.default_rng(seed).choice(["red", "green", "blue"], rows, p=[0.6, 0.3, 0.1])
    return objects([name.encode() for name in drawn])


def texts(rows: int, seed: int = 1, words: Sequence[str] = WORDS) -> Array:
    random = np.random.default_rng(seed)
    written = [" ".join(random.choice(words, random.integers(4, 12))) for _ in range(rows)]
    return objects([text.encode() for text in written])


def scores(rows: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).dirichlet([5, 2, 1], rows).astype(np.float32)


def pictures(rows: int, seed: int = 1, light: float = 1.0) -> Array:
    random = np.random.default_rng(seed)
    files = []
    for _ in range(rows):
        waves = np.sin(np.linspace(0, random.uniform(10, 14), 40))
        plane = 128 + 60 * waves[:, np.newaxis] + random.normal(0, 12, (40, 60))
        pixels = np.clip(plane[..., np.newaxis] * [1.0, 0.9, 0.8] * light, 0, 255)
        file = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
        files.append(file.getvalue())
    return objects(files)


def everything(rows: int, seed: int = 1) -> dict[str, Array]:
    """One tensor of each kind but pictures, which take longer."""
    random = np.random.default_rng(seed)
    return {
        "length": numbers(rows, seed),
        "colour": names(rows, seed),
        "remark": texts(rows, seed),
        "class": scores(rows, seed),
        "rooms": random.integers(1, 7, (rows, 1)),
        "signal": random.normal(0, 1, (rows, 100)).astype(np.float32),
    }
