"""Find the file or folder that ``--from`` names, and say what to do where there is none."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from slipway.errors import SlipwayError

SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
DOWNLOADS = {
    "http": "curl --fail --location --output {file} {url}",
    "https": "curl --fail --location --output {file} {url}",
    "s3": "aws s3 cp {url} {file}",
    "gs": "gcloud storage cp {url} {file}",
    "hf": "hf download, from the package huggingface-hub",
    "file": "cp {path} {file}",
}
LISTED = 8  # files that an error names
LOOKED_AT = 1000  # files of a folder: a mistaken --from / ends soon


def find_source(text: str, is_model: Callable[[Path], bool]) -> Path:
    """Return the file, or the folder that is one model, which ``text`` names.

    For a folder that holds a single model, it is that one. ``is_model`` says whether a path is a
    model of some format.

    Raises:
        SlipwayError: it is a URL or does not exist, or is a folder of no or of several models.
    """
    scheme = SCHEME.match(text)
    if scheme:
        raise _url(text, scheme[1].lower())
    path = Path(text)
    if not path.exists():
        raise _missing(path)
    if not path.is_dir() or is_model(path):
        return path
    found = _models_in(path, is_model)
    if not found:
        raise SlipwayError(
            "a folder that holds no model of a known format",
            where=text,
            fix="name the file that the training wrote; docs/formats.md lists the formats",
        )
    if len(found) > 1:
        raise SlipwayError(
            f"a folder of {len(found)} models: {_listed(found, path)}",
            where=text,
            fix=f"name one of them: --from {shlex.quote(str(found[0]))}",
        )
    return found[0]


def _url(text: str, scheme: str) -> SlipwayError:
    parts = urlsplit(text)
    file = PurePosixPath(parts.path).name or "model"
    command = DOWNLOADS.get(scheme, "download it to {file}").format(
        url=shlex.quote(text), file=shlex.quote(file), path=shlex.quote(parts.path)
    )
    return SlipwayError(
        "a URL: what is converted is a file on this machine, so that the same bytes can be"
        " converted again",
        where=text,
        fix=f"{command}; then --from {shlex.quote(file)}",
    )


def _missing(path: Path) -> SlipwayError:
    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    similar = difflib.get_close_matches(path.name, siblings, 3)
    pointer = path.with_name(f"{path.name}.dvc")
    if pointer.is_file():
        fix = f"slipway weights pull {shlex.quote(str(pointer))}"
    elif similar:
        fix = f"did you mean {' or '.join(str(path.with_name(name)) for name in similar)}?"
    else:
        fix = "name the file that the training wrote"
    return SlipwayError("no such file", where=str(path), fix=fix)


def _models_in(folder: Path, is_model: Callable[[Path], bool]) -> list[Path]:
    """Return the models in a folder, those in its folders too; nothing within a model's folder."""
    found: list[Path] = []
    left, looked_at = [folder], 0
    while left and looked_at < LOOKED_AT:
        for path in sorted(left.pop(0).iterdir()):
            looked_at += 1
            if path.name.startswith(".") or path.is_symlink():
                continue
            if is_model(path):
                found.append(path)
            elif path.is_dir():
                left.append(path)
    return found


def _listed(found: list[Path], folder: Path) -> str:
    names = [path.relative_to(folder).as_posix() for path in found[:LISTED]]
    more = len(found) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
