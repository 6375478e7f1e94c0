"""Check the names of model folders, and choose the names of tensors between the steps."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from pathlib import Path

import semver

from slipway.errors import SlipwayError
from slipway.triton import config

PARTS = (
    *("preprocessing", "inferencer", "postprocessing", "pipeline"),
    *("detection", "crops", "recognition"),  # of the prebuilt model ocr
)
NAME = re.compile(r"[a-z][a-z0-9_]*")
LONGEST = 100  # characters: file names may have 255, and parts and releases add suffixes
PUBLIC = re.compile(r"[A-Za-z0-9_./:-]+")
# an error that contains one of these becomes status 507, and the endpoint then evicts other models
# (Triton, sagemaker_server.cc)
OUT_OF_MEMORY = ("OOM", "MemoryError", "No space left on device")


def refuse_version(version: str) -> None:
    """Refuse an invalid release version.

    Raises:
        SlipwayError: it is not a semantic version.
    """
    if not semver.Version.is_valid(version):
        raise SlipwayError(f"{version!r} is not a semantic version", fix="use for example 0.1.0")


def refuse_name(name: str, root: Path) -> None:
    """Refuse a name that is invalid, or taken in the repository at ``root``.

    Raises:
        SlipwayError: gives the reason and, for an invalid name, proposes a valid one.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise SlipwayError(
            f"{name!r} is not a valid model name: use lowercase letters, digits and _, starting"
            f" with a letter, at most {LONGEST} characters",
            fix=f"use for example {propose_name(name)}",
        )
    folder = root / "models" / name
    if folder.exists() or folder.is_symlink():
        raise SlipwayError("the model exists already", where=str(folder), fix="choose another name")
    taken = {path.parent.name: path.parent for path in root.glob(f"models/*/*/{config.FILE_NAME}")}
    for part in PARTS:
        if f"{name}_{part}" in taken:
            raise SlipwayError(
                f"the model name {name}_{part} is taken: names are unique in the repository",
                where=str(taken[f"{name}_{part}"]),
                fix="choose another name",
            )


def propose_name(name: str) -> str:
    """Return the valid model name closest to ``name``."""
    proposal = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").lstrip("0123456789_")[:LONGEST]
    return proposal or "translate"


def public(name: str, taken: Collection[str]) -> str:
    """Return the clients' name of the graph's tensor ``name``: the same, unless it is unsafe."""
    safe = name
    if not PUBLIC.fullmatch(name) or any(text in name for text in OUT_OF_MEMORY):
        safe = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "tensor"
    return free(safe, taken)


def variable(name: str, taken: Collection[str]) -> str:
    """Return a Python variable for the tensor ``name``."""
    identifier = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "tensor"
    reserved = ("self", "request", "pb_utils")
    if identifier[0].isdigit() or keyword.iskeyword(identifier) or identifier in reserved:
        identifier = f"tensor_{identifier}"
    return free(identifier, taken)


def free(name: str, taken: Collection[str]) -> str:
    """Return ``name``, or the first of ``name_2``, ``name_3``, … that is not taken."""
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
