"""SW70x: weights that run code when they are loaded, and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from slipway.check.finding import Found, Place
from slipway.check.model_files import POINTER
from slipway.check.pickles import SUFFIXES, dangers, is_pickle, is_suspect
from slipway.check.rule import rule
from slipway.check.subject import Subject

LIBRARY = re.compile(r".+\.so(\.[0-9]+)*")
# what is read as text, or has a format without code
HARMLESS = {".py", ".pbtxt", ".json", ".txt", ".md", ".onnx", ".safetensors", ".plan", ".xml"}


@rule(
    "SW701",
    "unsafe-weights",
    reason="loading it runs this code, with the rights of the server",
    source="modelscan's list of what no model needs",
)
def unsafe_weights(subject: Subject) -> Iterator[Found]:
    """Weights that call what no model needs when they are loaded."""
    for file, found in _dangers(subject).items():
        yield Found(
            Place(file),
            f"loading it calls {', '.join(found)}",
            "do not load it; make the weights anew from a source that you trust",
        )


@rule(
    "SW702",
    "pickled-weights",
    severity="warning",
    reason="whoever can replace this file runs code on the endpoint: no list of bad calls is complete",
    source="https://docs.python.org/3/library/pickle.html: 'Never unpickle data …'",
)
def pickled_weights(subject: Subject) -> Iterator[Found]:
    """Weights whose loader unpickles them, though nothing bad is known of these."""
    pointed = [
        path.with_suffix("")
        for path in subject.files()
        if path.suffix == POINTER and path.with_suffix("").suffix in SUFFIXES
    ]
    here = [file for file in _weights(subject) if is_pickle(file)]
    for file in sorted({*pointed, *here}):
        if file in _dangers(subject):
            continue  # told as an error
        yield Found(
            Place(file if file.exists() else file.with_name(file.name + POINTER)),
            "it is a pickle, which may run any code when it is loaded",
            "a format that holds data alone: ONNX, safetensors, skops, or the library's own",
        )


@rule(
    "SW703",
    "link-out-of-the-folder",
    reason="the artifact cannot be packed: what the link leads to would not travel with it",
    source="Slipway: repository.py",
)
def link_out_of_the_folder(subject: Subject) -> Iterator[Found]:
    """A link to what lies outside of the model's folder, or to nothing."""
    inside = subject.folder.resolve()
    linked = [read.directory for read in subject.configs.values() if read.directory.is_symlink()]
    linked += [path for path in subject.files() if path.is_symlink()]
    for path in linked:
        if not path.exists():
            yield Found(Place(path), f"a link to {path.readlink()}, which is missing", "remove it")
        elif not path.resolve().is_relative_to(inside):
            yield Found(
                Place(path),
                f"a link to {path.readlink()}, outside of the model's folder",
                "put the file itself there",
            )


@rule(
    "SW704",
    "native-library",
    severity="warning",
    reason="the server runs it in its own process: its crash takes every loaded model with it",
    source="Triton's documentation, user_guide/custom_operations.md and backend.md",
)
def native_library(subject: Subject) -> Iterator[Found]:
    """A shared library among the weights: custom operators, or a backend of its own."""
    for path in subject.files():
        name = path.name.removesuffix(POINTER)
        if LIBRARY.fullmatch(name) and not path.is_dir():
            yield Found(
                Place(path),
                f"{name} is native code",
                "do without custom operators where you can; else test it with the release"
                f" that serves, {subject.settings.triton_release}",
            )


@lru_cache(maxsize=1)
def _dangers(subject: Subject) -> dict[Path, list[str]]:
    """What the weights would call, by the files that would call anything."""
    scanned = {file: dangers(file) for file in _weights(subject) if is_suspect(file)}
    return {file: found for file, found in scanned.items() if found}


def _weights(subject: Subject) -> Iterator[Path]:
    for path in subject.files():
        if path.is_file() and path.suffix not in HARMLESS | {POINTER}:
            yield path
