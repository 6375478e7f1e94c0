"""What applications count on; the golden cases beside this file hold the exact answers."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from slipway.testing import InferenceError, Model

CASES = Path(__file__).parent / "cases"
PHOTOGRAPH = (CASES / "photograph" / "photo.jpg").read_bytes()
RECAPTURED = (CASES / "recaptured" / "screen.jpg").read_bytes()
ON_ITS_SIDE = (CASES / "exif_rotated" / "screen_on_its_side.jpg").read_bytes()
WORDS = b"Not a photograph: these are words.\n"


def test_a_photograph_is_told_from_its_recapture(model: Model) -> None:
    answer = model({"IMAGE": [PHOTOGRAPH, RECAPTURED]})
    assert answer["LABEL"].tolist() == [[b"document"], [b"screen"]]
    assert answer["ERROR"].tolist() == [[b""], [b""]]
    low, high = answer["SCORE"][:, 0]
    assert 0 <= low < high <= 1


def test_a_score_does_not_depend_on_the_rest_of_the_batch(model: Model) -> None:
    alone = model({"IMAGE": PHOTOGRAPH})["SCORE"]
    among = model({"IMAGE": [RECAPTURED, PHOTOGRAPH, WORDS]})["SCORE"]
    assert alone.shape == (1, 1)
    np.testing.assert_allclose(among[1], alone[0], atol=1e-5)


def test_a_photograph_on_its_side_scores_as_its_upright_self(model: Model) -> None:
    upright, turned = model({"IMAGE": [RECAPTURED, ON_ITS_SIDE]})["SCORE"][:, 0]
    # the turned one went through JPEG once more
    assert turned == pytest.approx(upright, abs=0.05)


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (PHOTOGRAPH[: len(PHOTOGRAPH) // 2], "the file is truncated"),
        (WORDS, "neither a JPEG nor a PNG"),
        (b"", "neither a JPEG nor a PNG"),
        (b"\xff\xd8\xff" + bytes(100), "neither a JPEG nor a PNG"),
    ],
    ids=["truncated", "words", "empty", "only the first bytes of a JPEG"],
)
def test_a_bad_file_fails_its_own_request_only(model: Model, file: bytes, why: str) -> None:
    before = model({"IMAGE": PHOTOGRAPH})["SCORE"]
    with pytest.raises(InferenceError, match=why):
        model({"IMAGE": file})
    np.testing.assert_array_equal(model({"IMAGE": PHOTOGRAPH})["SCORE"], before)


def test_a_bad_file_in_a_batch_fails_its_own_row_only(model: Model) -> None:
    answer = model({"IMAGE": [WORDS, RECAPTURED, PHOTOGRAPH[:2000]]})
    assert answer["LABEL"].tolist() == [[b""], [b"screen"], [b""]]
    assert [bool(error) for error in answer["ERROR"][:, 0]] == [True, False, True]
    assert answer["SCORE"][0, 0] == answer["SCORE"][2, 0] == -1
    np.testing.assert_array_equal(answer["SCORE"][1:2], model({"IMAGE": RECAPTURED})["SCORE"])


def test_a_batch_of_bad_files_says_what_is_wrong_with_each(model: Model) -> None:
    with pytest.raises(InferenceError) as refused:
        model({"IMAGE": [WORDS, PHOTOGRAPH[:2000]]})
    message = str(refused.value)
    assert "IMAGE[0]: the bytes are neither a JPEG nor a PNG file" in message
    assert "IMAGE[1]: the file is truncated" in message


def test_an_image_that_claims_gigabytes_is_refused_unread(model: Model) -> None:
    with pytest.raises(InferenceError, match="more than 64,000,000 pixels"):
        model({"IMAGE": _png_header(20_000, 20_000)})


def test_an_image_without_detail_enough_is_refused(model: Model) -> None:
    with pytest.raises(InferenceError, match="32x500"):
        model({"IMAGE": _png_header(32, 500)})


def _png_header(width: int, height: int) -> bytes:
    """A PNG file that claims its size in pixels and holds none."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
