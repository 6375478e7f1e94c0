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


@dataclass(frozen=True)
class Sample:
    """A valid model: ``make`` writes a repository with only this model and returns its folder.

    ``examples`` are the inputs of its first request, by name.
    """

    name: str
    make: Callable[[Path], Path]
    requests: tuple[ServerRequest, ...]
    examples: Mapping[str, Array]


def default_samples() -> list[Sample]:
    """Return the served models of the corpus, and the good fixture several times."""
    return [*map(_corpus_sample, corpus.served_names()), *[_good_sample()] * REPEATED]


def all_samples() -> list[Sample]:
    """Return the test samples and the repository's own model, whose weights DVC fetches."""
    return [*default_samples(), *[_screen_detection_sample()] * REPEATED]


def _corpus_sample(name: str) -> Sample:
    requests = corpus.requests(name)
    examples = {tensor["name"]: _array(tensor) for tensor in requests[0]["inputs"]}
    server_requests = tuple(map(as_json, requests))
    return Sample(name, lambda root: corpus.make(name, root), server_requests, examples)


def _array(tensor: Mapping[str, Any]) -> Array:
    kind = triton_to_np_dtype(tensor["datatype"])
    text = kind is np.object_
    return np.array([x.encode() if text else x for x in tensor["data"]], dtype=kind)


def _good_sample() -> Sample:
    words: Array = np.array([[b"area"], [b"open sea"]], dtype=np.object_)
    inputs = {"WORDS": words}
    make = fixture_repositories.make
    return Sample("sound", lambda root: make("good", root), (as_arrays(inputs),), inputs)


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
    return Sample(SCREEN.name, make, (as_arrays(inputs),), inputs)
