"""Read a DVC pointer: which bytes a file of weights has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from slipway.errors import SlipwayError
from slipway.unchanged import read_bytes

# the loader in C, if libyaml is installed, reads a pointer in a tenth of the time
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DIRECTORY = ".dir"  # suffix of the md5 of a directory's list of files
MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


@dataclass(frozen=True)
class Pointer:
    """The content of a ``.dvc`` file: the bytes of ``path`` have this ``md5``.

    ``size`` is in bytes. ``remote`` is the output's own remote, if it has one.
    """

    file: Path
    md5: str
    path: Path
    size: int | None
    remote: str | None


@lru_cache(maxsize=32)  # several models may have the same weights
def _load(text: str) -> Any:
    return yaml.load(text, LOADER)


def load_pointer(file: Path) -> Pointer:
    """Read a pointer that ``dvc add`` wrote.

    Raises:
        SlipwayError: it is missing, not YAML, or not a pointer to one file or directory.
    """
    fix = f"write it again: dvc add {file.with_suffix('')}"
    try:
        content = _load(read_bytes(file).decode("utf-8"))
    except FileNotFoundError as error:
        raise SlipwayError("no such pointer", where=place_of(file), fix=fix) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not UTF-8 text"
        raise SlipwayError(
            f"malformed DVC pointer: {problem}", where=place_of(file) + line, fix=fix
        ) from error
    outs = content.get("outs") if isinstance(content, dict) else None
    if not (isinstance(outs, list) and len(outs) == 1 and isinstance(outs[0], dict)):
        raise SlipwayError(
            "malformed DVC pointer: it has to name exactly one output under 'outs'",
            where=place_of(file),
            fix=fix,
        )
    out = outs[0]
    if not (isinstance(out.get("md5"), str) and MD5.fullmatch(out["md5"])):
        raise SlipwayError(
            f"malformed DVC pointer: {out.get('md5')!r} is not an md5",
            where=place_of(file),
            fix=fix,
        )
    if out.get("path") != file.stem:
        raise SlipwayError(
            f"malformed DVC pointer: it points at {out.get('path')!r}, not at {file.stem!r}",
            where=place_of(file),
            fix=fix,
        )
    if out.get("hash") != "md5":
        raise SlipwayError(
            "a pointer of DVC 2, whose md5 is not always that of the bytes",
            where=place_of(file),
            fix="dvc cache migrate --dvc-files",
        )
    size = out.get("size")
    return Pointer(file, out["md5"], file.with_suffix(""), size, out.get("remote"))


def place_of(file: Path) -> str:
    """Return the pointer's path, after its model's name if it is below ``models/``."""
    parts = file.parts
    at = len(parts) - 1 - parts[::-1].index("models") if "models" in parts else -1
    model = f"model {parts[at + 1]}: " if 0 <= at < len(parts) - 2 else ""
    return f"{model}{file}"
