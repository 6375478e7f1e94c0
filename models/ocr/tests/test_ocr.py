"""Test what applications rely on; the golden cases hold RapidOCR's own answers."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from slipway.testing import InferenceError, Model

CASES = Path(__file__).parent / "cases"
LIST = (CASES / "several_lines" / "list.jpg").read_bytes()
TURNED = (CASES / "a_turned_line" / "turned.png").read_bytes()
WORDS = b"TURNED TO THE SIDE"


def png(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "png")
    return target.getvalue()


def texts(answer: dict[str, Any]) -> list[bytes]:
    found: list[bytes] = answer["TEXT"].tolist()
    return found


def test_lines_come_in_the_order_of_reading(model: Model) -> None:
    answer = model({"IMAGE": [LIST]})
    assert texts(answer)[:2] == [
        b"20 x item 669 163.19 EUR",
        b"any Contribution intentionally submitted for",
    ]
    assert len(answer["SCORE"]) == len(answer["BOX"]) == len(answer["TEXT"]) == 10
    tops = answer["BOX"][:, 0, 1]
    assert tops.tolist() == sorted(tops.tolist())


def test_a_picture_without_text_has_no_lines(model: Model) -> None:
    answer = model({"IMAGE": [png(Image.new("RGB", (300, 200), "white"))]})
    assert answer["TEXT"].shape == answer["SCORE"].shape == (0,)
    assert answer["BOX"].shape == (0, 4, 2)


def test_boxes_lie_in_the_file_where_the_text_is(model: Model) -> None:
    # twice the size and moved: the boxes follow
    small = Image.open(io.BytesIO(TURNED)).convert("RGB")
    large = Image.new("RGB", (small.width * 2 + 100, small.height * 2), "white")
    large.paste(small.resize((small.width * 2, small.height * 2)), (100, 0))
    answer = model({"IMAGE": [png(large)]})
    assert texts(answer) == [WORDS]
    before = model({"IMAGE": [TURNED]})["BOX"][0]
    np.testing.assert_allclose(answer["BOX"][0], before * 2 + [100, 0], atol=8)


def test_a_line_does_not_depend_on_others(model: Model) -> None:
    image = Image.open(io.BytesIO(LIST)).convert("RGB")
    answer = model({"IMAGE": [LIST]})
    left, top = answer["BOX"][2].min(0) - 4
    right, bottom = answer["BOX"][2].max(0) + 4
    box = (int(left), int(top), int(right), int(bottom))
    alone = Image.new("RGB", image.size, image.getpixel((1, 1)))
    alone.paste(image.crop(box), box)
    assert texts(model({"IMAGE": [png(alone)]})) == [answer["TEXT"][2]]


def test_transparency_is_laid_on_white(model: Model) -> None:
    paper = Image.open(io.BytesIO(TURNED)).convert("L").crop((200, 0, 400, 400))
    ink = Image.new("RGBA", paper.size, "black")
    ink.putalpha(paper.point(lambda grey: 255 - grey))
    assert texts(model({"IMAGE": [png(ink)]})) == [WORDS]


def test_orientation_of_a_photograph_is_applied(model: Model) -> None:
    image = Image.open(io.BytesIO(LIST)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 8  # turn by 90° to see it upright
    target = io.BytesIO()
    image.transpose(Image.Transpose.ROTATE_270).save(target, "png", exif=exif)
    assert texts(model({"IMAGE": [target.getvalue()]})) == texts(model({"IMAGE": [LIST]}))


def test_a_bad_file_is_refused_and_the_next_one_read(model: Model) -> None:
    for file, why in (
        (LIST[: len(LIST) // 2], "the file is truncated or damaged"),
        (b"Not a picture: these are words.", "no JPEG, PNG or WebP file"),
        (b"", "no JPEG, PNG or WebP file"),
    ):
        with pytest.raises(InferenceError, match=why):
            model({"IMAGE": [file]})
    assert texts(model({"IMAGE": [TURNED]})) == [WORDS]


def test_a_picture_that_claims_gigabytes_is_refused_unread(model: Model) -> None:
    chunks = b""
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)),
        (b"IDAT", b""),
        (b"IEND", b""),
    ):
        check = struct.pack(">I", zlib.crc32(kind + data))
        chunks += struct.pack(">I", len(data)) + kind + data + check
    with pytest.raises(InferenceError, match="more than 64,000,000 pixels"):
        model({"IMAGE": [b"\x89PNG\r\n\x1a\n" + chunks]})
