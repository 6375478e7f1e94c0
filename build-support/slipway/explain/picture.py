"""A picture or a recording as an array of pixels, and the way back to the model's input."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.explain.explanation import Kind
from slipway.triton.datatypes import Array

# a copy for each window has to be decoded by the model: more pixels say little more
MOST_PIXELS = 4_000_000
JPEG_QUALITY = 95
CHANNELS = (1, 3, 4)
SMALLEST_SIDE = 4


@dataclass(frozen=True)
class Picture:
    """``pixels`` are [height, width, channels]; a recording is one row of samples.

    ``restore`` makes the tensor of the input ``name`` from them; ``row_tensors`` are all tensors
    of the row, without the batch.
    """

    kind: Kind
    name: str
    pixels: Array
    restore: Callable[[Array], Array]
    row_tensors: Mapping[str, Array]
    statements: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height."""
        return (self.pixels.shape[1], self.pixels.shape[0])

    def row(self, pixels: Array) -> dict[str, Array]:
        """Return the row with ``pixels`` in place of its own."""
        return {**self.row_tensors, self.name: self.restore(pixels)}

    def shown(self) -> Array:
        """Return the picture for people, uint8 [height, width, 3]."""
        pixels = self.pixels.astype(np.float64)
        low, high = float(pixels.min()), float(pixels.max())
        if low < 0 or high > 255 or high <= 64:  # of another range than 0 to 255
            pixels = (pixels - low) * (255 / ((high - low) or 1))
        colours = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, :1].repeat(3, axis=2)
        return np.clip(colours, 0, 255).astype(np.uint8)

    def blurred(self, cells: int) -> Array:
        """Return the local mean: the pixels without details smaller than 1/``cells`` of a side.

        A recording's is its mean: silence.
        """
        if self.kind == "audio":
            return np.full_like(self.pixels, self.pixels.mean())
        from PIL import Image

        width, height = self.size
        small = (min(cells, width), min(cells, height))
        channels = []
        for channel in range(self.pixels.shape[2]):
            image = Image.fromarray(self.pixels[:, :, channel].astype(np.float32))
            mean = image.resize(small, Image.Resampling.BOX)
            channels.append(np.asarray(mean.resize((width, height), Image.Resampling.BILINEAR)))
        return np.stack(channels, axis=2)


def decode_picture(row: Mapping[str, Array], name: str, largest: int) -> Picture | None:
    """Return the picture whose file is the one element of input ``name``; ``None`` if it is none.

    ``largest`` is the most bytes of a copy, which is a PNG if that fits.

    Raises:
        SlipwayError: it is a picture that cannot be decoded.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    content = row[name].ravel()[0]
    data = content if isinstance(content, bytes) else str(content).encode()
    statements = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(data))
            if getattr(opened, "n_frames", 1) > 1:
                statements.append("the picture has several frames: the first one is explained")
            image: Image.Image = ImageOps.exif_transpose(opened)
            has_alpha = "A" in image.getbands() or "transparency" in image.info
            modes = {"L": "L", "1": "L"}
            image = image.convert("RGBA" if has_alpha else modes.get(image.mode, "RGB"))
    except UnidentifiedImageError:
        return None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise SlipwayError(
            f"{name} is a picture that cannot be decoded: {error}",
            fix="give a whole file of a picture; the model's answer to this one is its error",
        ) from error
    if image.width * image.height > MOST_PIXELS:
        scale = (MOST_PIXELS / (image.width * image.height)) ** 0.5
        small = (int(image.width * scale), int(image.height * scale))
        statements.append(
            f"copies are {small[0]} × {small[1]} pixels, the picture {image.width} × {image.height}"
        )
        image = image.resize(small, Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    pixels = pixels.reshape(*pixels.shape[:2], -1).astype(np.float32)
    picture = Picture("image", name, pixels, _encoder(row[name], "PNG"), row, tuple(statements))
    if len(picture.restore(pixels).ravel()[0]) <= largest:
        return picture
    statements.append(
        f"copies are JPEGs of quality {JPEG_QUALITY}: as PNGs they are larger than a request"
    )
    encoder = _encoder(row[name], "JPEG")
    return replace(picture, restore=encoder, statements=tuple(statements))


def _encoder(tensor: Array, format: str) -> Callable[[Array], Array]:
    """Return what makes a tensor of the shape of ``tensor`` with a file of ``format``."""

    def restore(pixels: Array) -> Array:
        from PIL import Image

        channels = pixels.shape[2]
        if format == "JPEG" and channels == 4:
            opacity = pixels[:, :, 3:] / 255
            pixels = pixels[:, :, :3] * opacity + 255 * (1 - opacity)
        whole = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
        image = Image.fromarray(whole[:, :, 0] if channels == 1 else whole)
        stream = io.BytesIO()
        options: dict[str, Any] = (
            {"compress_level": 1} if format == "PNG" else {"quality": JPEG_QUALITY}
        )
        image.save(stream, format, **options)
        copy = np.empty(tensor.shape, dtype=object)
        copy.flat[0] = stream.getvalue()
        return copy

    return restore


def picture_of_tensor(row: Mapping[str, Array], name: str) -> Picture | None:
    """Return the picture that the tensor is: [h, w], [h, w, c] or [c, h, w]; else ``None``."""
    tensor = row[name]
    squeezed = tensor.reshape([size for size in tensor.shape if size != 1] or [1])
    sides = sorted(squeezed.shape)
    if tensor.dtype.kind not in "fiu" or squeezed.ndim not in (2, 3):
        return None
    if sides[-2] < SMALLEST_SIDE or (squeezed.ndim == 3 and sides[0] not in CHANNELS):
        return None
    if squeezed.ndim == 2:
        pixels, back = squeezed[:, :, None], lambda p: p
    elif squeezed.shape[0] in CHANNELS:
        pixels, back = squeezed.transpose(1, 2, 0), lambda p: p.transpose(2, 0, 1)
    elif squeezed.shape[2] in CHANNELS:
        pixels, back = squeezed, lambda p: p
    else:
        return None
    return Picture("image", name, pixels.astype(np.float32), _caster(tensor, back), row)


def recording_of_tensor(row: Mapping[str, Array], name: str) -> Picture:
    """Return the one-dimensional tensor ``name`` as a recording."""
    tensor = row[name]
    pixels = tensor.reshape(1, -1, 1).astype(np.float32)
    return Picture("audio", name, pixels, _caster(tensor, lambda p: p), row)


def _caster(tensor: Array, back: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return what makes a tensor of the type and shape of ``tensor`` from pixels."""

    def restore(pixels: Array) -> Array:
        whole = np.rint(pixels) if tensor.dtype.kind in "iu" else pixels
        restored: Array = back(whole).astype(tensor.dtype).reshape(tensor.shape)
        return restored

    return restore
