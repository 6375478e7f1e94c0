"""The sound models that mistakes are made in, and what each is asked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from check import corpus, fixture_repositories
from check.real_server import Asked, as_arrays, as_json
from slipway.server.client import Array

ROOT = Path(__file__).parents[3]
SCREEN = ROOT / "models" / "screen_detection"
CASES = SCREEN / "tests" / "cases"
# the models that people write have more places for mistakes than those of the corpus
REPEATED = 4


@dataclass(frozen=True)
class Sample:
    """``make`` writes a repository with the one model, and gives its folder."""

    name: str
    make: Callable[[Path], Path]
    requests: tuple[Asked, ...]


def of_the_tests() -> list[Sample]:
    """Those of the corpus that the local server serves, and the tests' sound model several times."""
    return [*map(_of_corpus, corpus.answering()), *[_sound()] * REPEATED]


def all_of_them() -> list[Sample]:
    """With the repository's own model, whose weights DVC fetches."""
    return [*of_the_tests(), *[_screen_detection()] * REPEATED]


def _of_corpus(name: str) -> Sample:
    requests = tuple(as_json(request) for request in corpus.requests(name))
    return Sample(name, lambda root: corpus.make(name, root), requests)


def _sound() -> Sample:
    words: Array = np.array([[b"area"], [b"open sea"]], dtype=np.object_)
    return Sample(
        "sound",
        lambda root: fixture_repositories.make("good", root),
        (as_arrays({"WORDS": words}),),
    )


def _screen_detection() -> Sample:
    def make(root: Path) -> Path:
        folder = root / "models" / SCREEN.name
        shutil.copytree(SCREEN, folder, ignore=shutil.ignore_patterns("training", "tests", ".*"))
        for weights in folder.glob("*/1/*.onnx"):
            weights.unlink()  # whoever has pulled them
        shutil.copyfile(ROOT / "slipway.toml", root / "slipway.toml")
        return folder

    files = (CASES / "recaptured" / "screen.jpg", CASES / "one_bad_file_in_a_batch" / "notes.txt")
    images: Array = np.array([[file.read_bytes()] for file in files], dtype=np.object_)
    return Sample(SCREEN.name, make, (as_arrays({"IMAGE": images}),))
