"""Pictures and recordings: where the answer rests."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from PIL import Image

from slipway.errors import SlipwayError
from slipway.explain.explain import Options, explain
from slipway.explain.picture import Picture, picture_of_tensor
from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import Array

FILE = Interface(16, {"IMAGE": Tensor("BYTES", (1,))}, {"SCORE": Tensor("FP64", (1,))})
TENSOR = Interface(16, {"IMAGE": Tensor("FP32", (-1, -1, 3))}, {"SCORE": Tensor("FP64", (1,))})
WIDTH, HEIGHT = 96, 64
# where the object is: x 60 to 83, y 8 to 23
OBJECT = np.s_[8:24, 60:84]


def scene() -> Array:
    """Return a grey ground with grain, and a striped object on it; uint8 [height, width, 3]."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(120, 130, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    pixels[OBJECT] = np.where(np.arange(24)[None, :, None] % 2, 255, 0)
    return pixels


def stripes(pixels: Array) -> float:
    """Return how striped a picture is where the object is."""
    return float(np.abs(np.diff(pixels[OBJECT].astype(float), axis=1)).mean() / 255)


def encoded(pixels: Array, format: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **options)
    return stream.getvalue()


def asks_files(
    score: Callable[[Array], float], seen: list[str] | None = None
) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
    def ask(inputs: Mapping[str, Array]) -> dict[str, Array]:
        scores = []
        for data in inputs["IMAGE"].ravel():
            image = Image.open(io.BytesIO(data))
            if seen is not None:
                seen.append(str(image.format))
            scores.append(score(np.asarray(image.convert("RGB"))))
        return {"SCORE": np.array(scores)[:, None]}

    return ask


def asks_tensors(
    score: Callable[[Array], float],
) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
    return lambda inputs: {"SCORE": np.array([[score(one)] for one in inputs["IMAGE"]])}


def as_input(data: bytes) -> dict[str, Array]:
    tensor = np.empty((1, 1), dtype=object)
    tensor[0, 0] = data
    return {"IMAGE": tensor}


def share_on_object(heat: Array) -> float:
    """Return the share of the heat that lies on the object and one cell around it."""
    rows, columns = heat.shape
    mask = np.zeros((HEIGHT, WIDTH))
    mask[0:32, 48:96] = 1
    cells = mask.reshape(rows, HEIGHT // rows, columns, WIDTH // columns).mean(axis=(1, 3))
    return float((np.abs(heat) * cells).sum() / np.abs(heat).sum())


def test_the_heat_lies_on_the_object_of_a_picture_file() -> None:
    seen: list[str] = []
    found = explain(asks_files(stripes, seen), FILE, as_input(encoded(scene())))
    heat = np.array(found.heat)
    assert (found.kind, found.method, found.size) == ("image", "occlusion", (WIDTH, HEIGHT))
    assert heat.shape == (16, 16)
    assert heat.max() == heat[2:6, 10:14].max() > 0
    assert share_on_object(heat) > 0.95
    left, top, right, bottom = found.parts[0].place
    assert left < 84 and right > 60 and top < 24 and bottom > 8
    assert set(seen) == {"PNG"}
    assert found.rows == 3 + 49 + 225 and found.requests == 3 + 18


def test_a_tensor_in_either_order_of_its_dimensions_has_the_same_heat() -> None:
    pixels = scene().astype(np.float32)
    last = explain(asks_tensors(stripes), TENSOR, {"IMAGE": pixels[None]})
    first = explain(
        asks_tensors(lambda one: stripes(one.transpose(1, 2, 0))),
        Interface(16, {"IMAGE": Tensor("FP32", (3, -1, -1))}, TENSOR.outputs),
        {"IMAGE": pixels.transpose(2, 0, 1)[None]},
    )
    assert last.heat == first.heat
    assert share_on_object(np.array(last.heat)) > 0.95


def test_shapley_values_of_regions_add_up_and_lie_on_the_object() -> None:
    found = explain(
        asks_files(stripes),
        FILE,
        as_input(encoded(scene())),
        options=Options(method="shapley", requests=60),
    )
    heat = np.array(found.heat)
    assert found.adds_up and heat.shape == (4, 4)
    assert found.base + sum(p.contribution for p in found.parts) == pytest.approx(found.answer)
    assert heat[:2, 2:].sum() > 0.9 * heat.sum() > 0


@pytest.mark.parametrize("side", [8, 9, 13])
def test_small_pictures_are_covered_by_windows_of_whole_pixels(side: int) -> None:
    pixels = np.zeros((1, side, side, 1), np.float32)
    pixels[0, 1, 1] = 1
    interface = Interface(16, {"IMAGE": Tensor("FP32", (side, side, 1))}, TENSOR.outputs)
    found = explain(asks_tensors(lambda one: float(one[1, 1, 0])), interface, {"IMAGE": pixels})
    heat = np.array(found.heat)
    brightest = np.unravel_index(heat.argmax(), heat.shape)
    assert max(brightest) <= heat.shape[0] // 4
    assert heat.min() >= 0 and heat[-1, -1] == 0


def test_what_the_camera_turned_is_upright_in_the_copies() -> None:
    turned = Image.fromarray(np.rot90(scene(), k=1).copy())  # stored on its side
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90° clockwise
    stream = io.BytesIO()
    turned.save(stream, "PNG", exif=exif)

    def score(pixels: Array) -> float:
        upright = pixels if pixels.shape[0] == HEIGHT else np.rot90(pixels, k=-1)
        return stripes(upright)

    found = explain(asks_files(score), FILE, as_input(stream.getvalue()))
    assert found.size == (WIDTH, HEIGHT)
    assert share_on_object(np.array(found.heat)) > 0.95


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_pictures_of_other_modes_are_explained(mode: str) -> None:
    image = Image.fromarray(scene()).convert(mode)
    stream = io.BytesIO()
    image.save(stream, "TIFF" if mode == "CMYK" else "PNG")
    found = explain(asks_files(stripes), FILE, as_input(stream.getvalue()))
    assert found.heat and found.answer > 0


def test_copies_that_are_too_large_as_png_are_jpegs_and_that_is_said() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8)
    data = encoded(noise, "JPEG", quality=30)
    seen: list[str] = []
    found = explain(
        asks_files(lambda pixels: float(pixels.mean() / 255), seen),
        FILE,
        as_input(data),
        options=Options(largest_request=15_000, windows=(4,)),
    )
    assert set(seen) == {"JPEG"}
    assert any("JPEGs of quality 95" in statement for statement in found.statements)
    with pytest.raises(SlipwayError, match="bytes, and a request"):
        explain(asks_files(stripes), FILE, as_input(data), options=Options(largest_request=1000))


def test_a_damaged_picture_is_refused() -> None:
    data = encoded(scene())
    with pytest.raises(SlipwayError, match="cannot be decoded"):
        explain(lambda inputs: {"SCORE": np.array([[0.5]])}, FILE, as_input(data[: len(data) // 2]))


def test_a_copy_that_is_answered_otherwise_is_said() -> None:
    data = encoded(scene(), "JPEG", quality=40)
    found = explain(
        lambda inputs: {
            "SCORE": np.array(
                [[0.9 if d[:2] == b"\xff\xd8" else 0.7] for d in inputs["IMAGE"].ravel()]
            )
        },
        FILE,
        as_input(data),
    )
    assert any("an unchanged copy has 0.7, the file itself 0.9" in s for s in found.statements)


def test_the_segments_of_a_recording_that_are_heard_have_the_heat() -> None:
    interface = Interface(0, {"AUDIO": Tensor("INT16", (-1,))}, {"P": Tensor("FP32", (-1,))})
    samples = np.zeros(6400, np.int16)
    samples[1600:3200] = 1000 * np.sign(np.sin(np.arange(1600)))

    def ask(inputs: Mapping[str, Array]) -> dict[str, Array]:
        assert inputs["AUDIO"].dtype == np.int16 and inputs["AUDIO"].shape == (6400,)
        frames = np.abs(inputs["AUDIO"].astype(float)).reshape(-1, 100).mean(axis=1)
        return {"P": (frames / 1000).astype(np.float32)}

    found = explain(ask, interface, {"AUDIO": samples})
    heat = np.array(found.heat)[0]
    assert (found.kind, found.score) == ("audio", "mean of P")
    quarter = len(heat) // 4
    assert heat[quarter : 2 * quarter].sum() > 0.9 * np.abs(heat).sum()
    first, last = found.parts[0].place
    assert first < 3200 and last > 1600


def test_what_is_recognised_may_be_told() -> None:
    numbers = np.random.default_rng(0).random((1, 6, 6)).astype(np.float32)
    interface = Interface(4, {"X": Tensor("FP32", (6, 6))}, {"SCORE": Tensor("FP64", (1,))})

    def ask(inputs: Mapping[str, Array]) -> dict[str, Array]:
        return {"SCORE": inputs["X"].reshape(len(inputs["X"]), -1)[:, :1].astype(float)}

    assert explain(ask, interface, {"X": numbers}).kind == "image"
    row = explain(
        ask,
        interface,
        {"X": numbers},
        background={"X": np.zeros((2, 6, 6), np.float32)},
        options=Options(kind="row"),
    )
    assert row.kind == "row" and len(row.parts) == 36
    assert row.ranked[0].name == "X[0]"
    with pytest.raises(SlipwayError, match="no input is of kind text"):
        explain(ask, interface, {"X": numbers}, options=Options(kind="text"))


def test_the_local_mean_keeps_the_mean_and_no_details() -> None:
    picture = picture_of_tensor({"X": scene().astype(np.float32)}, "X")
    assert isinstance(picture, Picture)
    blurred = picture.blurred(8)
    assert blurred.shape == picture.pixels.shape
    assert blurred.mean() == pytest.approx(picture.pixels.mean(), rel=0.02)
    assert stripes(blurred) < 0.1 * stripes(picture.pixels)
