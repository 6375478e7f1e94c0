"""Names: which a model folder may have, and which its tensors get between the steps."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from pathlib import Path

import semver

from slipway.errors import SlipwayError
from slipway.triton import config

PARTS = ("preprocessing", "inferencer", "postprocessing", "pipeline")
NAME = re.compile(r"[a-z][a-z0-9_]*")
LONGEST = 100  # characters: file names may have 255, and the parts and the release are added
PUBLIC = re.compile(r"[A-Za-z0-9_./:-]+")
# an error that holds one of these is answered with 507, and the endpoint then evicts other models
# (Triton, sagemaker_server.cc)
OUT_OF_MEMORY = ("OOM", "MemoryError", "No space left on device")


def refuse_version(version: str) -> None:
    """Refuse what is no semantic version.

    Raises:
        SlipwayError: it is none.
    """
    if not semver.Version.is_valid(version):
        raise SlipwayError(f"{version!r} is no semantic version", fix="such as 0.1.0")


def refuse(name: str, root: Path) -> None:
    """Refuse a name that is taken in the repository at ``root``, or that no model may have.

    Raises:
        SlipwayError: says why, and proposes one where it can.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise SlipwayError(
            f"{name!r} is no name for a model: small letters, digits and _, a letter first, at most"
            f" {LONGEST} of them",
            fix=f"such as {proposed(name)}",
        )
    folder = root / "models" / name
    if folder.exists() or folder.is_symlink():
        raise SlipwayError("there is one already", where=str(folder), fix="choose another name")
    taken = {path.parent.name: path.parent for path in root.glob(f"models/*/*/{config.FILE_NAME}")}
    for part in PARTS:
        if f"{name}_{part}" in taken:
            raise SlipwayError(
                f"a model is called {name}_{part} already: names are unique in the repository",
                where=str(taken[f"{name}_{part}"]),
                fix="choose another name",
            )


def proposed(name: str) -> str:
    """A name for a model, as near to ``name`` as it may be."""
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").lstrip("0123456789_")[:LONGEST]
    return word or "translate"


def public(name: str, taken: Collection[str]) -> str:
    """What clients call the graph's tensor ``name``: the same, unless that would do harm."""
    safe = name
    if not PUBLIC.fullmatch(name) or any(word in name for word in OUT_OF_MEMORY):
        safe = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "tensor"
    return free(safe, taken)


def variable(name: str, taken: Collection[str]) -> str:
    """A Python variable for the tensor ``name``."""
    word = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "tensor"
    if word[0].isdigit() or keyword.iskeyword(word) or word in ("self", "request", "pb_utils"):
        word = f"tensor_{word}"
    return free(word, taken)


def free(name: str, taken: Collection[str]) -> str:
    """``name``, or else the first of ``name_2``, ``name_3``, … that is not taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
