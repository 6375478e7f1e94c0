"""SW70x: weights that run code when they are loaded, and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from slipway.check.finding import Location, RuleHit
from slipway.check.model_files import POINTER
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.pickles import SUFFIXES, find_dangerous_calls, is_pickle, is_suspect
from slipway.check.rule import rule

LIBRARY = re.compile(r".+\.so(\.[0-9]+)*")
# formats without code, and text
HARMLESS = {".py", ".pbtxt", ".json", ".txt", ".md", ".onnx", ".safetensors", ".plan", ".xml"}


@rule(
    "SW701",
    "unsafe-weights",
    reason="loading it runs this code, with the rights of the server",
    source="modelscan's list of what no model needs",
)
def unsafe_weights(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find weights whose load calls functions that no model needs."""
    for file, calls in _dangerous_calls(model).items():
        yield RuleHit(
            Location(file),
            f"loading it calls {', '.join(calls)}",
            "do not load it; create the weights again from a source that you trust",
        )


@rule(
    "SW702",
    "pickled-weights",
    severity="warning",
    reason="anyone who can replace this file can run code on the endpoint, and no scan is complete",
    source="https://docs.python.org/3/library/pickle.html: 'Never unpickle data …'",
)
def pickled_weights(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find weights that their loader unpickles, even without a known dangerous call."""
    pointed = [
        path.with_suffix("")
        for path in model.files()
        if path.suffix == POINTER and path.with_suffix("").suffix in SUFFIXES
    ]
    pickles = [file for file in _weights(model) if is_pickle(file)]
    for file in sorted({*pointed, *pickles}):
        if file in _dangerous_calls(model):
            continue  # reported as an error
        yield RuleHit(
            Location(file if file.exists() else file.with_name(file.name + POINTER)),
            "it is a pickle, which may run any code when it is loaded",
            "use a format that holds data only: ONNX, safetensors, skops, or the library's own",
        )


@rule(
    "SW703",
    "link-out-of-the-folder",
    scope="slipway",
    reason="the artifact cannot be packed: it would not contain the link's target",
    source="Slipway: model/folder.py",
)
def link_out_of_the_folder(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find links to a target outside the model's folder, or to a missing one."""
    inside = model.folder.resolve()
    linked = [
        config.directory for config in model.configs.values() if config.directory.is_symlink()
    ]
    files = list(model.files())
    # packed from DVC's cache, into which DVC may link them
    weights = {path.with_suffix("") for path in files if path.suffix == POINTER}
    linked += [
        path for path in files if path.is_symlink() and weights.isdisjoint((path, *path.parents))
    ]
    for path in linked:
        if not path.exists():
            yield RuleHit(
                Location(path), f"a link to {path.readlink()}, which is missing", "remove it"
            )
        elif not path.resolve().is_relative_to(inside):
            yield RuleHit(
                Location(path),
                f"a link to {path.readlink()}, outside the model's folder",
                "replace the link by the file",
            )


@rule(
    "SW704",
    "native-library",
    severity="warning",
    reason="the server runs it in its own process, so that a crash stops every loaded model",
    source="Triton's documentation, user_guide/custom_operations.md and backend.md",
)
def native_library(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find shared libraries among the weights: custom operators, or a backend."""
    for path in model.files():
        name = path.name.removesuffix(POINTER)
        if LIBRARY.fullmatch(name) and not path.is_dir():
            yield RuleHit(
                Location(path),
                f"{name} is native code",
                "avoid custom operators if you can; otherwise test it with the serving release,"
                f" {model.settings.triton_release}",
            )


@lru_cache(maxsize=1)
def _dangerous_calls(model: ModelUnderCheck) -> dict[Path, list[str]]:
    """Return the dangerous calls of the weights, by file, for the files that have some."""
    scanned = {file: find_dangerous_calls(file) for file in _weights(model) if is_suspect(file)}
    return {file: calls for file, calls in scanned.items() if calls}


def _weights(model: ModelUnderCheck) -> Iterator[Path]:
    for path in model.files():
        if path.is_file() and path.suffix not in HARMLESS | {POINTER}:
            yield path
