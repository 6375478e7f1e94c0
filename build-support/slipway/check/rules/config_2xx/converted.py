"""SW285 to SW287: weights that were converted, their original, and the record of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.errors import SlipwayError
from slipway.model.original import (
    FOLDER,
    OPTIONS,
    POINTER,
    RECORD,
    ConversionOptions,
    load_options,
    load_record,
    replaced_files,
)
from slipway.model.pointer import load_pointer


@rule(
    "SW285",
    "not-what-was-converted",
    scope="slipway",
    reason="packing refuses it: manifest and provenance would name an original that is not served",
    source="Slipway, artifact/pack.py",
)
def not_converted(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find served files that are not what the recorded conversion wrote."""
    loaded = _load(model)
    if loaded is None or loaded[1] is None:
        return
    try:
        replaced = replaced_files(model.folder, loaded[1])
    except SlipwayError:
        return  # SW287, or the rule of a malformed pointer, reports it
    for path in replaced:
        yield RuleHit(
            Location(path if path.exists() else path.with_name(path.name + POINTER)),
            f"not the bytes that {model.folder / FOLDER / RECORD} records",
            f"slipway weights convert {model.name} --add serves what is converted; for other"
            f" weights, remove {model.folder / FOLDER} and its stage in dvc.yaml",
        )


@rule(
    "SW286",
    "original-lost",
    scope="slipway",
    severity="warning",
    reason="what is served could not be converted again, for another release or after a mistake",
    source="Slipway, scaffold/convert_again.py",
)
def original_lost(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an original without a pointer of DVC, or with one of another file than was converted."""
    loaded = _load(model)
    if loaded is None:
        return
    options, record = loaded
    source = model.folder / FOLDER / options.source
    pointer = source.with_name(source.name + POINTER)
    if not pointer.is_file():
        fix = f"copy the file there, then slipway weights add {source}"
        yield RuleHit(Location(model.folder / FOLDER / OPTIONS), f"DVC has no {source}", fix)
        return
    recorded = (record or {}).get("source", {}).get("md5")
    try:
        tracked = load_pointer(pointer).md5
    except SlipwayError as error:
        yield RuleHit(Location(pointer), error.what, f"slipway weights add {source}")
        return
    if recorded is not None and recorded != tracked:
        yield RuleHit(
            Location(pointer),
            "another file than the one that was converted",
            f"slipway weights convert {model.name} --add",
        )


@rule(
    "SW287",
    "unreadable-conversion",
    scope="slipway",
    reason="nothing can say what was converted, or convert it again",
    source="Slipway, model/original.py",
)
def unreadable_conversion(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ``conversion.toml`` or ``conversion.json`` that is malformed or missing."""
    folder = model.folder / FOLDER
    if model.is_single_config or not folder.is_dir():
        return
    present = [name for name in (OPTIONS, RECORD) if (folder / name).is_file()]
    if not present:
        return  # a folder of the user's own
    for name in (OPTIONS, RECORD):
        if name not in present:
            fix = "slipway weights convert " + model.name if name == RECORD else _restore(folder)
            yield RuleHit(Location(folder), f"no {name}", fix)
    try:
        record = load_record(model.folder)
        if record is not None and OPTIONS in present:
            replaced_files(model.folder, record)
        elif OPTIONS in present:
            load_options(model.folder)
    except SlipwayError as error:
        if error.where and Path(error.where).name in (OPTIONS, RECORD):
            yield RuleHit(Location(Path(error.where)), error.what, error.fix or "")


def _restore(folder: Path) -> str:
    return f"git checkout -- {folder / OPTIONS}, or remove {folder}"


def _load(model: ModelUnderCheck) -> tuple[ConversionOptions, dict[str, Any] | None] | None:
    """Return options and record of the conversion; ``None`` without one that can be read."""
    if model.is_single_config or not (model.folder / FOLDER / OPTIONS).is_file():
        return None
    try:
        return load_options(model.folder), load_record(model.folder)
    except SlipwayError:
        return None  # SW287 reports it
