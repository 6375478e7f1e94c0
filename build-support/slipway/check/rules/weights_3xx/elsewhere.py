"""SW326: weights that lie where packing does not take them."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from pathlib import Path

from slipway.check.finding import Location, RuleHit
from slipway.check.model_files import FOREST_NAMES, NAMES, POINTER
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.layout_1xx.layout import OTHER_FOLDERS
from slipway.errors import SlipwayError
from slipway.model.local_weights import differs
from slipway.model.pointer import Pointer

DEEPEST = 3  # folders below the model's in which the results of a training are looked for
ENDINGS = {
    *(Path(name).suffix for names in NAMES.values() for name in names),
    *(Path(name).suffix for name in FOREST_NAMES.values()),
    ".pth",
    ".safetensors",
    ".keras",
    ".h5",
    ".npz",
    ".pkl",
    ".joblib",
} - {".py", ".json", ".txt", ".xml"}
ALL_ENDINGS = (*ENDINGS, POINTER)


@rule(
    "SW326",
    "weights-elsewhere",
    scope="slipway",
    severity="warning",
    reason="packing takes the weights in model directories, so these are not in the artifact",
    source="Slipway, model/folder.py",
)
def weights_elsewhere(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find weights outside of the model directories that may be meant to be served.

    These are weights next to the model directories, and files below the model's folder that are
    named as tracked weights, newer than their pointer, and different.
    """
    if model.is_single_config or not model.configs:
        return
    pointers = {pointer.path.name: pointer for pointer in _pointers(model)}
    for path in _other_files(model, pointers):
        pointer = pointers.get(path.name)
        if pointer is not None:
            newer = path.stat().st_mtime_ns > pointer.file.stat().st_mtime_ns
            if newer and differs(pointer, path, model.settings.root):
                yield RuleHit(
                    Location(path),
                    f"newer than {pointer.file}, and other weights",
                    f"to release it: cp {path} {pointer.path} && slipway weights add"
                    f" {pointer.path}; else remove it",
                )
                continue
        parts = path.relative_to(model.folder).parts
        if path.suffix not in ALL_ENDINGS:
            continue
        # other rules report folders that look like a model or a version
        aside = parts[0] in OTHER_FOLDERS or any(part.isdigit() for part in parts)
        tracked = path.with_name(path.name + POINTER).exists()
        if not aside and not tracked:
            yield RuleHit(
                Location(path),
                "weights outside of the model directories",
                "move them into a version directory, such as"
                f" {next(iter(model.configs.values())).directory / '1'}/, or to"
                f" {model.folder / 'training'}/ if they are not served",
            )


def _pointers(model: ModelUnderCheck) -> Iterator[Pointer]:
    for path in model.files():
        if path.suffix == POINTER and path.is_file():
            try:
                yield model.pointer(path)
            except SlipwayError:
                continue  # another rule reports it


def _other_files(model: ModelUnderCheck, names: Container[str]) -> Iterator[Path]:
    """Yield the files outside of the model directories that are named as weights, or by ``names``.

    Hidden folders are left out.
    """
    for folder, directories, files in os.walk(model.folder):
        here = Path(folder)
        depth = len(here.parts) - len(model.folder.parts)
        directories[:] = [
            name
            for name in sorted(directories)
            if depth < DEEPEST
            and not name.startswith((".", "_"))
            and not (depth == 0 and (name in model.configs or name == "tests"))
        ]
        for name in sorted(files):
            if not name.startswith(".") and (name.endswith(ALL_ENDINGS) or name in names):
                yield here / name
