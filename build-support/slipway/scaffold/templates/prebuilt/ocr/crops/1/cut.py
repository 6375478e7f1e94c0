"""Cut lines out of a photo, and bring them to the height that recognition sees."""

import math
from typing import Any

import numpy as np
from PIL import Image

HEIGHT = 48
"""Pixels."""

NARROWEST = 320
WIDEST = 3200
"""A line that would be wider is squeezed."""

UPRIGHT = 1.5
"""A line this much higher than wide is read from top to bottom, and turned."""


def cut_lines(photo: Any, boxes: Any) -> tuple[Any, Any]:
    """Return the lines UINT8 [lines, 48, width, 3] and the width of each, INT64 [lines].

    All have the width of the widest; what is beyond a line's own is to be ignored. Without boxes
    there is one line of width 0: the network takes no empty batch.
    """
    image = Image.fromarray(photo)
    cut = [_cut(image, box) for box in boxes]
    widest = max([NARROWEST, *(line.shape[1] for line in cut)])
    lines = np.zeros((max(len(cut), 1), HEIGHT, widest, 3), dtype=np.uint8)
    widths = np.zeros(len(lines), dtype=np.int64)
    for number, line in enumerate(cut):
        widths[number] = line.shape[1]
        lines[number, :, : line.shape[1]] = line
    return lines, widths


def _cut(image: Image.Image, box: Any) -> Any:
    width = int(max(np.hypot(*(box[0] - box[1])), np.hypot(*(box[2] - box[3]))))
    height = int(max(np.hypot(*(box[0] - box[3])), np.hypot(*(box[1] - box[2]))))
    line = image.transform(
        (width, height),
        Image.Transform.PERSPECTIVE,
        _perspective(box, width, height),
        Image.Resampling.BICUBIC,
    )
    if height / width >= UPRIGHT:
        line = line.transpose(Image.Transpose.ROTATE_90)
    wide = min(max(math.ceil(HEIGHT * line.width / line.height), 1), WIDEST)
    scale = (line.width / wide, 0, 0, 0, line.height / HEIGHT, 0)
    # between the nearest pixels, as the network has learned it
    small = line.transform((wide, HEIGHT), Image.Transform.AFFINE, scale, Image.Resampling.BILINEAR)
    return np.asarray(small)


def _perspective(box: Any, width: int, height: int) -> list[float]:
    """Return Pillow's eight numbers, which lead from a line's pixels to the photo's."""
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64) + 0.5
    rows, values = [], []
    for (u, v), (x, y) in zip(target, box + 0.5, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        values += [x, y]
    solved: list[float] = np.linalg.solve(np.array(rows), np.array(values)).tolist()
    return solved
