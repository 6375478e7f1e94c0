"""Simulate a camera looking at a sheet of paper, or at a screen that shows the same sheet.

Both go through one camera; what differs is what a screen is made of: square pixels, each of three
coloured stripes with dark gaps. Beating against the camera's own grid of sensors that gives moire.
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

Floats = npt.NDArray[np.float32]
Generator = np.random.Generator

_HARMONICS = (1, 2, 3)
_WORDS = "the name of holder number issued valid until place signature sum total date paid".split()


@dataclass(frozen=True)
class Ranges:
    """pitch: camera pixels to a screen pixel; quality: JPEG's; halftone: share of documents."""

    pitch: tuple[float, float]
    quality: tuple[int, int]
    halftone: float


def pair(
    photograph: npt.NDArray[np.uint8], size: tuple[int, int], ranges: Ranges, random: Generator
) -> tuple[bytes, bytes]:
    """Two JPEG files of `size` (width, height) in pixels: of a document, and of it on a screen.

    All that is random (content, pose, light, camera, JPEG) is drawn once and shared by both, so
    nothing but the screen, and for some documents the dots of print, tells them apart.
    """
    pitch = float(np.exp(random.uniform(*np.log(ranges.pitch))))
    u, v = _pose(size, pitch, random)
    content = _content(photograph, (int(u.max()) + 2, int(v.max()) + 2), random)
    subpixels = _subpixels(u, v, pitch, random)
    light = _light(size, random)
    camera_seed = int(random.integers(2**32))
    document = _look(content, u, v, sharpness=1.0)
    if random.random() < ranges.halftone:
        document = _halftone(document, size, random)
    screen = _look(content, u, v, sharpness=max(1.0, pitch)) * subpixels * light
    return (
        _camera(document * light, ranges, np.random.default_rng(camera_seed)),
        _camera(screen, ranges, np.random.default_rng(camera_seed)),
    )


def _pose(size: tuple[int, int], pitch: float, random: Generator) -> tuple[Floats, Floats]:
    """Where each camera pixel looks, in screen pixels: rotation, scale and perspective."""
    width, height = size
    x = (np.arange(width, dtype=np.float32) - width / 2)[None, :]
    y = (np.arange(height, dtype=np.float32) - height / 2)[:, None]
    angle = np.float32(np.deg2rad(random.normal(0, 6)))
    tilt_x, tilt_y = random.normal(0, 0.08, 2).astype(np.float32) / np.float32(width)
    depth = (1 + tilt_x * x + tilt_y * y) * np.float32(pitch)
    u = (np.cos(angle) * x - np.sin(angle) * y) / depth
    v = (np.sin(angle) * x + np.cos(angle) * y) / depth
    shift = random.uniform(0, 1, 2).astype(np.float32)
    return u - u.min() + shift[0], v - v.min() + shift[1]


def _content(photograph: npt.NDArray[np.uint8], size: tuple[int, int], random: Generator) -> Floats:
    """A document of `size` (width, height) with the photograph in it, in linear light."""
    image = Image.fromarray(photograph)
    zoom = random.uniform(0.5, 1.0)
    width = int(min(image.width, image.height * size[0] / size[1]) * zoom)
    height = max(1, int(width * size[1] / size[0]))
    left = int(random.integers(image.width - width + 1))
    top = int(random.integers(max(1, image.height - height + 1)))
    image = image.crop((left, top, left + width, top + height)).resize(
        size, Image.Resampling.BICUBIC
    )
    if random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if random.random() < 0.6:
        _print_card(image, random)
    linear: Floats = (np.asarray(image, dtype=np.float32) / np.float32(255)) ** np.float32(2.2)
    return linear


def _print_card(image: Image.Image, random: Generator) -> None:
    """Printed lines on a pale card over part of the photograph."""
    width, height = image.size
    card_width, card_height = (int(side * random.uniform(0.4, 0.9)) for side in image.size)
    left = int(random.integers(width - card_width + 1))
    top = int(random.integers(height - card_height + 1))
    draw = ImageDraw.Draw(image)
    paper = tuple(int(value) for value in random.integers(190, 256, 3))
    ink = tuple(int(value) for value in random.integers(0, 90, 3))
    draw.rectangle((left, top, left + card_width, top + card_height), fill=paper)
    letters = int(max(8, width * random.uniform(0.02, 0.06)))
    font = ImageFont.load_default(letters)
    for line in range(top + letters, top + card_height - 2 * letters, int(letters * 1.6)):
        words = " ".join(random.choice(_WORDS, 12))
        room = max(1, int(card_width / (0.55 * letters)) - 3)
        draw.text((left + letters, line), words[:room], fill=ink, font=font)


def _look(content: Floats, u: Floats, v: Floats, sharpness: float) -> Floats:
    """Sample the content bilinearly; a larger sharpness makes its pixels squares with hard edges."""
    column, row = u.astype(np.int32), v.astype(np.int32)
    right = np.clip((u - column - 0.5) * sharpness + 0.5, 0, 1).astype(np.float32)[..., None]
    lower = np.clip((v - row - 0.5) * sharpness + 0.5, 0, 1).astype(np.float32)[..., None]
    height, width, _ = content.shape
    column, row = np.clip(column, 0, width - 2), np.clip(row, 0, height - 2)
    flat = content.reshape(-1, 3)
    at = row * width + column
    upper = flat[at] * (1 - right) + flat[at + 1] * right
    under = flat[at + width] * (1 - right) + flat[at + width + 1] * right
    seen: Floats = upper * (1 - lower) + under * lower
    return seen


def _subpixels(u: Floats, v: Floats, pitch: float, random: Generator) -> Floats:
    """How much of each colour the screen's grid lets through: [height, width, 3], mean 1.

    A Fourier series of the stripes, each harmonic weakened as lens and sensor weaken it, then
    sampled at the camera's pixels: what is too fine for them folds back as moire.
    """
    duty = random.uniform(0.2, 0.33)
    row_duty = random.uniform(0.7, 0.92)
    blur = random.uniform(0.15, 0.4)
    order = np.array([0, 1, 2] if random.random() < 0.7 else [2, 1, 0], dtype=np.float32) / 3
    across, along = (u, v) if random.random() < 0.8 else (v, u)
    stripes = np.ones((*u.shape, 3), dtype=np.float32)
    rows = np.ones(u.shape, dtype=np.float32)
    turn_across, turn_along = _turn(across), _turn(along)
    wave, row_wave = np.ones_like(turn_across), np.ones_like(turn_along)
    for k in _HARMONICS:
        passed = _passed(k / pitch, blur)
        wave, row_wave = wave * turn_across, row_wave * turn_along
        for channel in range(3):
            shift = np.complex64(np.exp(-2j * np.pi * k * order[channel]))
            strength = np.float32(2 * np.sinc(k * duty) * passed)
            stripes[..., channel] += strength * (wave * shift).real
        rows += np.float32(2 * np.sinc(k * row_duty) * passed) * row_wave.real
    passed_on: Floats = np.maximum(stripes * rows[..., None], 0)
    return passed_on


def _halftone(document: Floats, size: tuple[int, int], random: Generator) -> Floats:
    """Print the document in dots, one grid a colour and each at its own angle, as presses do.

    A texture that is no screen's: without it every fine regular pattern would look like one.
    """
    period = random.uniform(2.0, 6.0)
    passed = _passed(1 / period, random.uniform(0.15, 0.4)) * random.uniform(0.3, 1.0)
    turned = random.uniform(0, 90)
    x = np.arange(size[0], dtype=np.float32)[None, :] / np.float32(period)
    y = np.arange(size[1], dtype=np.float32)[:, None] / np.float32(period)
    printed = document.copy()
    for channel, degrees in enumerate((15, 75, 45)):
        angle = np.float32(np.deg2rad(degrees + turned))
        dots = _turn(np.cos(angle) * x - np.sin(angle) * y).real
        dots = dots + _turn(np.sin(angle) * x + np.cos(angle) * y).real
        tone = document[..., channel]  # paper and solid ink have no dots
        printed[..., channel] += np.float32(2 * passed) * dots * tone * (1 - tone)
    return np.clip(printed, 0, 1)


def _turn(position: Floats) -> npt.NDArray[np.complex64]:
    """A full turn for each period; the k-th power is the k-th harmonic."""
    angle = np.float32(2 * np.pi) * position
    wave = np.empty(position.shape, dtype=np.complex64)
    wave.real, wave.imag = np.cos(angle), np.sin(angle)
    return wave


def _passed(frequency: float, blur: float) -> float:
    """What a lens of `blur` pixels and a square sensor leave of a frequency in 1/pixels."""
    return float(np.sinc(frequency) * np.exp(-2 * (np.pi * blur * frequency) ** 2))


def _light(size: tuple[int, int], random: Generator) -> Floats:
    """Uneven light and a colour cast: [height, width, 3]."""
    width, height = size
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    slope = random.normal(0, 0.12, 2).astype(np.float32)
    cast = random.normal(1, 0.08, 3).astype(np.float32)
    light: Floats = np.maximum((1 + slope[0] * x + slope[1] * y) * cast, np.float32(0.2))
    return light


def _camera(light: Floats, ranges: Ranges, random: Generator) -> bytes:
    """Lens, exposure, one colour a sensor, noise, sharpening, gamma, a resize at times, JPEG."""
    soft = gaussian_filter(light, (random.uniform(0.2, 0.5),) * 2 + (0,))
    soft *= np.float32(random.uniform(0.18, 0.42) / max(float(soft.mean()), 1e-3))
    raw = _mosaic(soft)
    noise = random.standard_normal(raw.shape, dtype=np.float32)
    raw += noise * np.sqrt(np.maximum(raw, 0) * random.uniform(0, 4e-4) + 1e-6)
    colour = _demosaic(raw)
    amount = np.float32(random.uniform(0, 0.8))
    colour += amount * (colour - gaussian_filter(colour, (1.0, 1.0, 0)))
    gamma = np.float32(1 / random.uniform(1.9, 2.5))
    pixels = (np.clip(colour, 0, 1) ** gamma * 255 + 0.5).astype(np.uint8)
    image = Image.fromarray(pixels)
    if random.random() < 0.3:
        scale = random.uniform(0.7, 1.0)
        size = (int(image.width * scale), int(image.height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    quality = int(random.integers(ranges.quality[0], ranges.quality[1] + 1))
    image.save(file, "JPEG", quality=quality, subsampling=int(random.choice([0, 2, 2])))
    return file.getvalue()


def _mosaic(light: Floats) -> Floats:
    """One colour at each sensor, RGGB."""
    raw = light[..., 1].copy()
    raw[0::2, 0::2] = light[0::2, 0::2, 0]
    raw[1::2, 1::2] = light[1::2, 1::2, 2]
    return raw


def _demosaic(raw: Floats) -> Floats:
    """Bilinear: each missing colour is the mean of its neighbours."""
    padded = np.pad(raw, 1, mode="reflect")
    sides = (padded[1:-1, :-2] + padded[1:-1, 2:]) / 2
    above = (padded[:-2, 1:-1] + padded[2:, 1:-1]) / 2
    cross = (sides + above) / 2
    corners = (padded[:-2, :-2] + padded[:-2, 2:] + padded[2:, :-2] + padded[2:, 2:]) / 4
    colour = np.empty((*raw.shape, 3), dtype=np.float32)
    red, blue, green = colour[..., 0], colour[..., 2], colour[..., 1]
    green[...] = raw
    for row, column, near in ((0, 0, red), (1, 1, blue)):
        far = blue if near is red else red
        own = (slice(row, None, 2), slice(column, None, 2))
        near[own] = raw[own]
        far[own] = corners[own]
        green[own] = cross[own]
    beside_red = (slice(0, None, 2), slice(1, None, 2))
    red[beside_red], blue[beside_red] = sides[beside_red], above[beside_red]
    beside_blue = (slice(1, None, 2), slice(0, None, 2))
    red[beside_blue], blue[beside_blue] = above[beside_blue], sides[beside_blue]
    return colour
