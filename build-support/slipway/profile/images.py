"""What is measured of a picture: one number each, so that a series of them can be compared."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from slipway.triton.datatypes import Array

MEASURES = (
    *("brightness", "contrast", "colour", "sharpness", "direction", "balance"),
    *("width", "height"),
)
# what a thumbnail still tells of its picture
OF_THUMBNAILS = ("brightness", "colour", "balance")
LARGEST = 100_000_000  # pixels: a larger one is not decoded
LINES = 256  # of a picture, of which sharpness is measured in each direction
OVERVIEW = 64  # pixels of the side from which brightness and colour are measured
CHANNELS = (1, 3, 4)
SMALLEST_SIDE = 8


def is_image_shape(shape: Sequence[int]) -> bool:
    """Return whether a row's shape is one of pictures, with its channels first or last."""
    if len(shape) != 3:
        return False
    first, last = shape[0] in CHANNELS, shape[-1] in CHANNELS
    sides = shape[1:] if first else shape[:-1]
    return (first or last) and min(sides) >= SMALLEST_SIDE


def decodes(data: object) -> bool:
    """Return whether bytes are a picture, by its head."""
    from PIL import Image

    if not isinstance(data, bytes) or len(data) < 16:
        return False
    try:
        with Image.open(io.BytesIO(data)):
            return True
    except Exception:  # whatever a decoder makes of bytes that are anything
        return False


def measure_files(files: Sequence[object]) -> dict[str, Array]:
    """Measure encoded pictures; what cannot be decoded is NaN in every series."""
    return _stack([_measure_file(data) for data in files])


def measure_pixels(batch: Array) -> dict[str, Array]:
    """Measure a batch of pixels, with channels first, last or none."""
    return _stack([_measure(_channels_last(pixels)) for pixels in batch])


def _channels_last(pixels: Array) -> Array:
    pixels = np.asarray(pixels, np.float32)
    if pixels.ndim == 2:
        return pixels[..., np.newaxis]
    first = pixels.shape[0] in CHANNELS and pixels.shape[-1] not in CHANNELS
    return np.moveaxis(pixels, 0, -1) if first else pixels


def _measure_file(data: object) -> dict[str, float]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data if isinstance(data, bytes) else b"")) as image:
            if image.width * image.height > LARGEST:
                return {}
            return _measure(np.asarray(image.convert("RGB"), np.float32) / 255)
    except Exception:  # whatever a decoder makes of bytes that are anything
        return {}


def _measure(pixels: Array) -> dict[str, float]:
    height, width = pixels.shape[:2]
    small = pixels[:: max(1, height // OVERVIEW), :: max(1, width // OVERVIEW)]
    grey = small.mean(axis=-1)
    half = max(1, grey.shape[0] // 2)
    contrast = float(grey.std())
    # lines at full resolution: sharpness is in the finest differences
    rows = pixels[:: max(1, height // LINES)].mean(axis=-1)
    columns = pixels[:, :: max(1, width // LINES)].mean(axis=-1)
    across = _roughness(rows, 1)
    down = _roughness(columns, 0)
    scale = contrast + 1e-3
    return {
        "brightness": float(grey.mean()),
        "contrast": contrast,
        "colour": float((small.max(axis=-1) - small.min(axis=-1)).mean()),
        "sharpness": float(np.log10((across + down) / scale + 1e-4)),
        "direction": float(np.log((across + 1e-4 * scale) / (down + 1e-4 * scale))),
        "balance": float(grey[:half].mean() - grey[half:].mean() if len(grey) > 1 else 0.0),
        "width": float(width),
        "height": float(height),
    }


def _roughness(lines: Array, axis: int) -> float:
    """Return the mean size of second differences along the axis."""
    if lines.shape[axis] < 3:
        return 0.0
    return float(np.abs(np.diff(lines, 2, axis=axis)).mean())


def _stack(measured: Sequence[Mapping[str, float]]) -> dict[str, Array]:
    nan = float("nan")
    return {
        name: np.array([float(f"{row.get(name, nan):.5g}") for row in measured], np.float64)
        for name in MEASURES
    }
