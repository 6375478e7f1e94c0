"""The valid models in which mistakes are made, with their requests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tritonclient.utils import triton_to_np_dtype

from slipway.triton.datatypes import Array
from tests.check import corpus, fixture_repositories
from tests.check.real_server import ServerRequest, as_arrays, as_json

ROOT = Path(__file__).parents[3]
SCREEN = ROOT / "models" / "screen_detection"
CASES = SCREEN / "tests" / "cases"
# models of real use have more places for mistakes than those of the corpus
REPEATED = 4
FOR_CODE = ("colour_names", "tidy_text")  # their configs are like others, not their code
RICH = (*FOR_CODE, "sound", "screen_detection", "five_steps", "fan_out")
GOOD = fixture_repositories.GOOD / "models" / "sound"


@dataclass(frozen=True)
class Sample:
    """A valid model: ``make`` writes a repository with only this model and returns its folder.

    ``examples`` are the inputs of its first request, by name; ``code`` is that of its models.
    """

    name: str
    make: Callable[[Path], Path]
    requests: tuple[ServerRequest, ...]
    examples: Mapping[str, Array]
    code: str = ""


def default_samples() -> list[Sample]:
    """Return the served models of the corpus, and the good fixture several times."""
    names = [name for name in corpus.served_names() if name not in FOR_CODE]
    return [*map(_corpus_sample, names), *[_good_sample()] * REPEATED]


def all_samples() -> list[Sample]:
    """Return the test samples and the repository's own model, whose weights DVC fetches."""
    return [*default_samples(), *[_screen_detection_sample()] * REPEATED]


def code_samples() -> list[Sample]:
    """Return the corpus's models with the most code, which need none of the repository's files."""
    return [_corpus_sample(name) for name in FOR_CODE]


def python_samples() -> list[Sample]:
    """Return the samples with Python models, of those with equal code one."""
    unique: dict[str, Sample] = {}
    for sample in [*code_samples(), *all_samples()]:
        if sample.code:
            unique.setdefault(sample.code, sample)
    repeated = [unique[code] for code in unique if unique[code].name in RICH]
    return [*unique.values(), *repeated * REPEATED]


def _corpus_sample(name: str) -> Sample:
    requests = corpus.requests(name)
    examples = {tensor["name"]: _array(tensor) for tensor in requests[0]["inputs"]}
    server_requests = tuple(map(as_json, requests))
    code = _code(corpus.CORPUS / name)
    return Sample(name, lambda root: corpus.make(name, root), server_requests, examples, code)


def _code(folder: Path) -> str:
    """Return the code of a folder's Python models, without what they are called."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*/*/model.py"))]
    return "".join(texts)


def _array(tensor: Mapping[str, Any]) -> Array:
    kind = triton_to_np_dtype(tensor["datatype"])
    text = kind is np.object_
    return np.array([x.encode() if text else x for x in tensor["data"]], dtype=kind)


def _good_sample() -> Sample:
    words: Array = np.array([[b"area"], [b"open sea"]], dtype=np.object_)
    inputs = {"WORDS": words}
    make = fixture_repositories.make
    return Sample(
        "sound", lambda root: make("good", root), (as_arrays(inputs),), inputs, _code(GOOD)
    )


def _screen_detection_sample() -> Sample:
    def make(root: Path) -> Path:
        folder = root / "models" / SCREEN.name
        shutil.copytree(SCREEN, folder, ignore=shutil.ignore_patterns("training", "tests", ".*"))
        for weights in folder.glob("*/1/*.onnx"):
            weights.unlink()  # if they were pulled
        shutil.copyfile(ROOT / "slipway.toml", root / "slipway.toml")
        return folder

    files = (CASES / "recaptured" / "screen.jpg", CASES / "one_bad_file_in_a_batch" / "notes.txt")
    images: Array = np.array([[file.read_bytes()] for file in files], dtype=np.object_)
    inputs = {"IMAGE": images}
    return Sample(SCREEN.name, make, (as_arrays(inputs),), inputs, _code(SCREEN))
