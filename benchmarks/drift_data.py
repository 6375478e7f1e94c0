"""The rows of three sample models, and ten kinds of drift for each.

Churn: the customers of the training. Screen detection: crops of the photographs in scikit-image's
wheel. English sentiment: the rated snippets in vaderSentiment's source distribution.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from PIL import Image, ImageEnhance, ImageFilter

from benchmarks.context import ROOT
from slipway.triton.datatypes import Array

Rows = dict[str, Array]
Change = Callable[[Rows, np.random.Generator], Rows]

NUMBERS = ("SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges")
NOT_INPUTS = ("customerID", "Churn")
PHOTOGRAPHS = ("astronaut", "brick", "cell", "chelsea", "coffee", "coins", "grass", "gravel",
               "ihc", "moon", "motorcycle_left", "retina", "rocket", "page")  # fmt: skip
CROP = (192, 144)
FRENCH = (
    "le film était vraiment très long et nous avons beaucoup ri",
    "une histoire sans intérêt, je n'ai pas aimé du tout",
    "quelle belle journée, les acteurs sont formidables",
    "c'est dommage, la fin gâche tout ce qui précède",
)


@dataclass(frozen=True)
class Sample:
    """The rows of a model, and what may happen to them by the name of the kind of drift."""

    model: str
    rows: Rows
    changes: dict[str, Change]


def column(values: Sequence[object]) -> Array:
    """Return one column of bytes."""
    array = np.empty((len(values), 1), dtype=object)
    array[:, 0] = values
    return array


def churn() -> Sample:
    """Return 7,043 customers."""
    pointer = ROOT / "models/churn/training/customers.csv.gz.dvc"
    md5 = yaml.safe_load(pointer.read_text())["outs"][0]["md5"]
    data = (ROOT / "dvc-remote/files/md5" / md5[:2] / md5[2:]).read_bytes()
    table = list(csv.DictReader(io.StringIO(gzip.decompress(data).decode())))
    rows: Rows = {}
    for name in table[0]:
        values = [row[name].strip() for row in table]
        if name in NUMBERS:
            rows[name] = np.array([[float(v or "nan")] for v in values], np.float32)
        elif name not in NOT_INPUTS:
            rows[name] = column([value.encode() for value in values])
    return Sample("churn", rows, CHURN)


def photographs(work: Path, count: int) -> Sample:
    """Return ``count`` crops of photographs, as JPEG."""
    wheel = download("scikit-image", work)
    random = np.random.default_rng(11)
    images = []
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if Path(name).stem in PHOTOGRAPHS and Path(name).suffix in (".png", ".jpg"):
                images.append(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
    crops = []
    for _ in range(count):
        image = images[random.integers(len(images))]
        left = random.integers(max(1, image.width - CROP[0]))
        top = random.integers(max(1, image.height - CROP[1]))
        crop = image.crop((left, top, left + CROP[0], top + CROP[1]))
        crops.append(_encode(crop, 90))
    return Sample("screen_detection", {"IMAGE": column(crops)}, PICTURES)


def snippets(work: Path) -> Sample:
    """Return the rated snippets: tweets, reviews, news."""
    lock = (ROOT / "models/sentiment_en/training/snippets.lock").read_text().split()[0]
    source = download(lock, work, "--no-binary=:all:")
    texts = []
    with tarfile.open(source) as outer:
        inside = next(name for name in outer.getnames() if name.endswith("ICWSM_2014.tar.gz"))
        inner = outer.extractfile(inside)
        with tarfile.open(fileobj=inner) as archive:
            for member in archive.getmembers():
                if re.search(r"GroundTruth\.txt$", member.name):
                    stream = archive.extractfile(member)
                    assert stream is not None
                    text = stream.read().decode(errors="replace")
                    texts += [line.split("\t")[-1] for line in text.splitlines() if line]
    order = np.random.default_rng(12).permutation(len(texts))[:3000]
    return Sample("sentiment_en", {"text": column([texts[k].encode() for k in order])}, TEXTS)


def download(requirement: str, work: Path, *options: str) -> Path:
    """Download one distribution with pip, without its dependencies."""
    folder = work / re.split("[=]", requirement)[0]
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *options]
    subprocess.run([*argv, requirement, "--dest", str(folder)], check=True)
    return next(folder.iterdir())


def _column(name: str, change: Callable[[Array, np.random.Generator], Array]) -> Change:
    return lambda rows, random: {**rows, name: change(rows[name].copy(), random)}


def _some(share: float, value: object) -> Callable[[Array, np.random.Generator], Array]:
    def change(array: Array, random: np.random.Generator) -> Array:
        array[random.random(len(array)) < share] = value
        return array

    return change


def _only(name: str, value: bytes) -> Change:
    def change(rows: Rows, random: np.random.Generator) -> Rows:
        kept = np.flatnonzero(rows[name][:, 0] == value)
        return {key: array[kept] for key, array in rows.items()}

    return change


def _repeated(share: float) -> Change:
    def change(rows: Rows, random: np.random.Generator) -> Rows:
        count = len(next(iter(rows.values())))
        picked = np.where(random.random(count) < share, 0, np.arange(count))
        return {key: array[picked] for key, array in rows.items()}

    return change


def _renamed(old: bytes, new: bytes) -> Callable[[Array, np.random.Generator], Array]:
    return lambda array, random: np.where(array == old, new, array).astype(object)


CHURN: dict[str, Change] = {
    "mean shifted (tenure, 10 months more)": _column("tenure", lambda a, r: a + np.float32(10)),
    "scaled (charges 30 % higher)": _column("MonthlyCharges", lambda a, r: a * np.float32(1.3)),
    "other unit (charges in cents)": _column("MonthlyCharges", lambda a, r: a * np.float32(100)),
    "clipped (tenure at 24 months)": _column("tenure", lambda a, r: np.minimum(a, np.float32(24))),
    "missing (a fifth of the totals)": _column("TotalCharges", _some(0.2, np.nan)),
    "new value (a tenth pays in a new way)": _column("PaymentMethod", _some(0.1, b"Wallet")),
    "renamed value (fiber_optic)": _column(
        "InternetService", _renamed(b"Fiber optic", b"fiber_optic")
    ),
    "filled with a default (a third: no security)": _column("OnlineSecurity", _some(0.33, b"No")),
    "other customers (monthly contracts only)": _only("Contract", b"Month-to-month"),
    "one row repeated (30 % of the requests)": _repeated(0.3),
}


def _encode(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _pictures(change: Callable[[Image.Image], Image.Image], quality: int = 90) -> Change:
    def all_of(rows: Rows, random: np.random.Generator) -> Rows:
        images = [Image.open(io.BytesIO(data)) for data in rows["IMAGE"][:, 0]]
        return {"IMAGE": column([_encode(change(image), quality) for image in images])}

    return all_of


def _noisy(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image, np.float32)
    noise = np.random.default_rng(int(pixels[0, 0, 0])).normal(0, 25, pixels.shape)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def _broken(rows: Rows, random: np.random.Generator) -> Rows:
    cut = random.random(len(rows["IMAGE"])) < 0.1
    data = [d[:200] if c else d for d, c in zip(rows["IMAGE"][:, 0], cut, strict=True)]
    return {"IMAGE": column(data)}


PICTURES: dict[str, Change] = {
    "darker (half the light)": _pictures(lambda i: ImageEnhance.Brightness(i).enhance(0.5)),
    "brighter (by 40 %)": _pictures(lambda i: ImageEnhance.Brightness(i).enhance(1.4)),
    "less contrast (half)": _pictures(lambda i: ImageEnhance.Contrast(i).enhance(0.5)),
    "blurred (radius 2)": _pictures(lambda i: i.filter(ImageFilter.GaussianBlur(2))),
    "smaller (half the side)": _pictures(lambda i: i.resize((i.width // 2, i.height // 2))),
    "turned by 90 degrees": _pictures(lambda i: i.transpose(Image.Transpose.ROTATE_90)),
    "grey": _pictures(lambda i: i.convert("L").convert("RGB")),
    "noisy (deviation 25)": _pictures(_noisy),
    "cut off (a tenth of the files)": _broken,
    "one picture repeated (30 % of the requests)": _repeated(0.3),
}


def _texts(change: Callable[[str], str], share: float = 1.0) -> Change:
    def all_of(rows: Rows, random: np.random.Generator) -> Rows:
        chosen = random.random(len(rows["text"])) < share
        texts = [data.decode() for data in rows["text"][:, 0]]
        changed = [change(t) if c else t for t, c in zip(texts, chosen, strict=True)]
        return {"text": column([text.encode() for text in changed])}

    return all_of


TEXTS: dict[str, Change] = {
    "another language (a third French)": _texts(lambda t: FRENCH[len(t) % 4], 0.33),
    "capitals and digits as codes": _texts(lambda t: "".join(f"{ord(c):x}" for c in t[:40])),
    "cut off at 30 characters": _texts(lambda t: t[:30]),
    "twice as long": _texts(lambda t: f"{t} {t}"),
    "empty (a twentieth)": _texts(lambda t: "", 0.05),
    "markup around it": _texts(lambda t: f"<div class='t'><p>{t}</p></div>"),
    "wrong encoding (half)": _texts(lambda t: t.replace("e", "Ã©"), 0.5),
    "one text repeated (30 % of the requests)": _repeated(0.3),
    "only good ones (answers shift)": _texts(lambda t: f"{t} great, love it"),
    "all in capitals": _texts(str.upper),
}
