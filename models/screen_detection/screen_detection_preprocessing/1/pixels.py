"""From the bytes of a photograph to the square of pixels that the network sees.

Training reads its photographs through this same function, so what is served is what was trained.
"""

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

SIDE = 256
"""Height and width in pixels of the square handed to the inferencer."""

SHORT_SIDE = 800
"""A larger photograph is halved as long as its shorter side stays at least this long. The traces of
a screen are fine: scaling a photograph down to the network's input would wipe them out, so the
square is cut from its centre instead."""

SMALLEST_SIDE = 64
LARGEST_AREA = 64_000_000
"""Pixels. A few kilobytes of PNG can claim gigabytes; every phone's camera stays below this."""

Image.MAX_IMAGE_PIXELS = LARGEST_AREA

_ORIENTATION = 0x0112
_JPEG = {"JPEG", "MPO"}  # MPO: a JPEG with further pictures behind it
_ALPHA = {"RGBA", "LA", "PA", "RGBa", "La"}


class Unreadable(Exception):
    """The bytes are no photograph that can be scored; the message says why."""


def square(data: bytes) -> npt.NDArray[np.uint8]:
    """Decode a JPEG or PNG file to UINT8 [SIDE, SIDE, 3], RGB, upright.

    Raises Unreadable for anything else, and for files that are truncated, too small or too large.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            _check_size(image)
            centre = _centre_of_jpeg(data, image)
            if centre is None:
                centre = _centre_by_pillow(data, image)
            return np.asarray(_upright(centre, image), dtype=np.uint8)
    except Unreadable:
        raise
    except Image.DecompressionBombError as error:
        raise Unreadable(f"the image has more than {LARGEST_AREA:,} pixels") from error
    except UnidentifiedImageError as error:
        raise Unreadable("the bytes are neither a JPEG nor a PNG file") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        truncated = "truncated" in str(error)
        why = "the file is truncated" if truncated else f"the file cannot be decoded ({error})"
        raise Unreadable(why) from error


def _centre_of_jpeg(data: bytes, image: Image.Image) -> Image.Image | npt.NDArray[np.uint8] | None:
    """Decode with libjpeg-turbo alone: Pillow's pixels, without its copies of the whole photograph.

    ``None`` for other files, and for those with a mistake: Pillow says which.
    """
    if image.format not in _JPEG or image.mode != "RGB":
        return None
    factor = _halvings(min(image.size))
    width, height = (-(-side // factor) for side in image.size)
    try:
        photograph = simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width)
    except ValueError:
        return None
    if min(width, height) < SIDE:
        return _centre(Image.fromarray(photograph))
    left, top = (width - SIDE) // 2, (height - SIDE) // 2
    return np.ascontiguousarray(photograph[top : top + SIDE, left : left + SIDE])


def _centre_by_pillow(data: bytes, image: ImageFile.ImageFile) -> Image.Image:
    factor = _halvings(min(image.size))
    # JPEG only: libjpeg then decodes at 1/2, 1/4 or 1/8 of the size, and much faster
    image.draft("RGB", (image.width // factor, image.height // factor))
    # all of the file at once: in pieces, every unfinished row of blocks is decoded again
    image.decodermaxblock = max(len(data), 1)
    image.load()
    return _centre(_rgb(image))


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > LARGEST_AREA:
        raise Unreadable(f"the image has more than {LARGEST_AREA:,} pixels")
    if min(image.size) < SMALLEST_SIDE:
        raise Unreadable(
            f"the image is {image.width}x{image.height}; each side needs {SMALLEST_SIDE} pixels"
        )


def _halvings(short_side: int) -> int:
    factor = 1
    while short_side // (2 * factor) >= SHORT_SIDE and factor < 16:
        factor *= 2
    return factor


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in _ALPHA or "transparency" in image.info:
        layer = image.convert("RGBA")
        page = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(page, layer).convert("RGB")
    if image.mode.startswith("I"):  # 16-bit grey: convert() would clip instead of scale
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _centre(image: Image.Image) -> Image.Image:
    factor = _halvings(min(image.size))  # 1 where draft has already done it
    if factor > 1:
        image = image.reduce(factor)
    if min(image.size) < SIDE:
        scale = SIDE / min(image.size)
        width, height = (max(SIDE, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
    return image.crop((left, top, left + SIDE, top + SIDE))


def _upright(
    centre: Image.Image | npt.NDArray[np.uint8], photograph: Image.Image
) -> Image.Image | npt.NDArray[np.uint8]:
    """Turn the square as the photograph's EXIF orientation asks: cheaper than turning it whole."""
    orientation = photograph.getexif().get(_ORIENTATION, 1)
    if orientation == 1:
        return centre
    if isinstance(centre, np.ndarray):
        centre = Image.fromarray(centre)
    centre.getexif()[_ORIENTATION] = orientation
    return ImageOps.exif_transpose(centre)
