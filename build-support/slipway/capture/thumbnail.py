"""Make small pictures of the images in a tensor, which show no more than their size allows."""

from __future__ import annotations

import io
import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from slipway.triton.datatypes import Array

if TYPE_CHECKING:
    from PIL.Image import Image

# other formats have decoders that few people look at
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MOST_SOURCE_PIXELS = 64_000_000  # more than a camera's, less than what fills the memory
CHANNELS = (1, 3, 4)


class NoThumbnail(Exception):
    """There is no picture to make; the message says why, and quotes nothing of the content."""


def thumbnails(array: Array, pixels: int) -> list[bytes]:
    """Return a PNG of at most ``pixels`` for each image of a tensor: encoded ones, or arrays of
    UINT8 with channels first or last. Nothing but the picture is kept: no EXIF, no colour profile.

    Raises:
        NoThumbnail: an element is not an image, or Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise NoThumbnail("Pillow is not installed: pip install 'slipway[monitoring]'") from error

    if array.dtype == np.object_:
        return [_small(_decode(element), pixels) for element in array.ravel().tolist()]
    if array.dtype != np.uint8:
        raise NoThumbnail(f"pictures are BYTES or UINT8, not {array.dtype}")
    return [_small(Image.fromarray(plane), pixels) for plane in _planes(array)]


def _decode(element: bytes) -> Image:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(element), formats=FORMATS)
            if image.width * image.height > MOST_SOURCE_PIXELS:
                raise NoThumbnail("a picture has too many pixels")
            image.load()
    except NoThumbnail:
        raise
    except Exception as error:  # whatever a decoder raises for bytes of anybody
        raise NoThumbnail(f"not a picture that can be read ({type(error).__name__})") from None
    return image


def _planes(array: Array) -> list[Array]:
    """Return the images of a batch as arrays of height, width and 3 or 4 channels, or two
    dimensions."""
    if array.ndim == 3 and array.shape[-1] not in CHANNELS and array.shape[0] not in CHANNELS:
        return list(array)  # a batch of grey pictures
    images = array if array.ndim == 4 else array[np.newaxis] if array.ndim in (2, 3) else None
    if images is None or 0 in array.shape:
        raise NoThumbnail(f"an array of {array.ndim} dimensions is not a picture")
    if array.ndim == 2:
        return list(images)
    if images.shape[-1] not in CHANNELS:
        images = np.moveaxis(images, 1, -1)
    if images.shape[-1] not in CHANNELS:
        raise NoThumbnail("neither its first nor its last dimension are channels")
    if images.shape[-1] == 1:
        images = images[..., 0]
    return [np.ascontiguousarray(image) for image in images]


def _small(image: Image, pixels: int) -> bytes:
    scale = min(1.0, math.sqrt(pixels / max(1, image.width * image.height)))
    width, height = (max(1, int(side * scale)) for side in image.size)
    # a long strip: one pixel of height is more than its share
    width, height = min(width, max(1, pixels // height)), min(height, pixels)
    plain = image.convert("L" if image.mode in ("1", "L", "I;16") else "RGB")
    out = io.BytesIO()
    plain.resize((width, height)).save(out, "PNG")
    return out.getvalue()
