"""From the bytes of a picture to the pixels that detection sees, and those that lines are cut from.

The sizes are those of RapidOCR (rapidocr/config.yaml, utils/process_img.py, ch_ppocr_det/utils.py).
"""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

LONGEST_SIDE = 2000
"""Pixels. A larger picture is scaled down before anything else."""

SHORTEST_SIDE = 30
DETECTION_SIDE = 736
"""Detection sees a picture whose shorter side has at least so many pixels."""

WIDEST = 8
"""A picture wider than so many times its height, a single line, gets black bars above and below."""

STEP = 32
"""Sides are multiples of this one: the network halves them five times."""

LARGEST_AREA = 64_000_000
"""Pixels. A few kilobytes of PNG can claim gigabytes."""

Image.MAX_IMAGE_PIXELS = LARGEST_AREA
_ALPHA = {"RGBA", "LA", "PA", "RGBa", "La"}


class Unreadable(Exception):
    """The bytes are no picture that can be read; the message says why."""


@dataclass(frozen=True)
class Picture:
    """Lines are cut from ``photo``; detection sees ``pixels``. Both are UINT8 [height, width, 3].

    ``frame`` FP32 [5] leads from positions in ``photo`` back to the file's: the ratios of width
    and height, the height of the bar above, and the file's width and height.
    """

    photo: Any
    pixels: Any
    frame: Any


def read(data: bytes) -> Picture:
    """Decode a JPEG, PNG or WebP file, and scale it.

    Raises:
        Unreadable: the bytes are of another format, truncated, or too large.
    """
    image = _decode(data)
    width, height = image.size
    bounded = _within_bounds(image)
    ratios = width / bounded.width, height / bounded.height
    top = _bar(bounded)
    if top:
        bounded = ImageOps.expand(bounded, (0, top, 0, top))
    pixels = _resize(bounded, *_detection_size(bounded))
    frame = np.array([*ratios, top, width, height], dtype=np.float32)
    return Picture(np.asarray(bounded), np.asarray(pixels), frame)


def _decode(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > LARGEST_AREA:
                raise Unreadable(f"the picture has more than {LARGEST_AREA:,} pixels")
            image.load()
            return _rgb(ImageOps.exif_transpose(image))
    except Unreadable:
        raise
    except Image.DecompressionBombError as error:
        raise Unreadable(f"the picture has more than {LARGEST_AREA:,} pixels") from error
    except UnidentifiedImageError as error:
        raise Unreadable("the bytes are no JPEG, PNG or WebP file") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise Unreadable("the file is truncated or damaged") from error


def _rgb(image: Image.Image) -> Image.Image:
    """Return RGB on white; 16-bit greys are scaled."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in _ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _within_bounds(image: Image.Image) -> Image.Image:
    if max(image.size) > LONGEST_SIDE:
        image = _scale(image, LONGEST_SIDE / max(image.size))
    if min(image.size) < SHORTEST_SIDE:
        image = _scale(image, SHORTEST_SIDE / min(image.size))
    return image


def _bar(image: Image.Image) -> int:
    """Return how many rows of black a single line gets above, and as many below."""
    if image.height > SHORTEST_SIDE and image.width / image.height <= WIDEST:
        return 0
    wanted = max(image.width // WIDEST, SHORTEST_SIDE) * 2
    return abs(wanted - image.height) // 2


def _detection_size(image: Image.Image) -> tuple[int, int]:
    ratio = max(1.0, DETECTION_SIDE / min(image.size))
    return _stepped(image.width * ratio), _stepped(image.height * ratio)


def _scale(image: Image.Image, ratio: float) -> Image.Image:
    return _resize(image, _stepped(image.width * ratio), _stepped(image.height * ratio))


def _stepped(side: float) -> int:
    return max(STEP, round(int(side) / STEP) * STEP)


def _resize(image: Image.Image, width: int, height: int) -> Image.Image:
    """Resize as the network has learned it: between the nearest pixels, also when shrinking."""
    scale = (image.width / width, 0, 0, 0, image.height / height, 0)
    return image.transform(
        (width, height), Image.Transform.AFFINE, scale, Image.Resampling.BILINEAR
    )
