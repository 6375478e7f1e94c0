"""The folder ``original/`` of a model: the file that was converted, and how, so that it can be
converted again.

It holds the file under DVC, ``conversion.toml`` (what was chosen), ``requirements.lock`` (of the
conversion), reference rows, and ``conversion.json`` (what came of it).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.files import digest_of_stream
from slipway.model.pointer import Pointer, load_pointer
from slipway.unchanged import remembered

FOLDER = "original"
OPTIONS = "conversion.toml"
RECORD = "conversion.json"
LOCK = "requirements.lock"
CONVERTED = "converted"  # below it: what a conversion wrote, of which copies are served
ROWS = "rows"
POINTER = ".dvc"
SEED = 7
KEYS = "source format backend serves triton tolerance seed rows code".split()


@dataclass(frozen=True)
class ConversionOptions:
    """What ``conversion.toml`` says.

    ``source``, ``rows`` and ``code`` are files next to it; without ``rows`` they are drawn from
    ``seed``. ``serves`` is the version directory whose files are copies of what is converted.
    ``settings`` are the format's own.
    """

    source: str
    format: str
    backend: str
    serves: str
    triton: str
    tolerance: float
    seed: int = SEED
    rows: str | None = None
    code: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def dump(self) -> str:
        """Return the text of ``conversion.toml``."""
        lines = ["# How the file was converted; slipway weights convert does it again.\n"]
        for key in KEYS:
            value = getattr(self, key)
            if value is not None:
                lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}\n")
        if self.settings:
            lines.append("\n[settings]\n")
        for key, value in sorted(self.settings.items()):
            lines.append(f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}\n")
        return "".join(lines)


@remembered
def load_options(model: Path) -> ConversionOptions:
    """Return how the weights of the model folder ``model`` were converted.

    Raises:
        SlipwayError: the model has none, or the file is malformed.
    """
    path = model / FOLDER / OPTIONS
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return ConversionOptions(**values)
    except FileNotFoundError as error:
        raise SlipwayError(
            "its weights were not converted by Slipway",
            where=str(path),
            fix=f"slipway new NAME --from FILE makes a model from what a training wrote; for new"
            f" weights of this one: slipway weights add, for each file below {model}",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise SlipwayError(
            f"malformed: {error}", where=str(path), fix=f"git checkout -- {path}"
        ) from error


@remembered
def load_record(model: Path) -> dict[str, Any] | None:
    """Return what ``conversion.json`` of a model folder says; ``None`` if it has none.

    Raises:
        SlipwayError: it is malformed.
    """
    path = model / FOLDER / RECORD
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise ValueError("not an object")
    except (ValueError, UnicodeDecodeError) as error:
        raise _malformed(model, str(error)) from error
    return record


def _malformed(model: Path, problem: str) -> SlipwayError:
    return SlipwayError(
        f"malformed: {problem}",
        where=str(model / FOLDER / RECORD),
        fix=f"slipway weights convert {model.name}",
    )


def replaced_files(model: Path, record: Mapping[str, Any]) -> list[Path]:
    """Return the served files of a model folder that are not what its conversion wrote.

    Raises:
        SlipwayError: ``conversion.toml``, a pointer or the record is malformed.
    """
    served = model / load_options(model).serves
    try:
        digests = {name: entry["md5"] for name, entry in record["files"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise _malformed(model, f"no md5 of its files: {error!r}") from error
    return [served / name for name in digests if served_md5(served / name) != digests[name]]


def served_md5(file: Path) -> str:
    """Return the md5 of a served file: what its pointer says, else that of its bytes; "" of none.

    Raises:
        SlipwayError: its pointer is malformed.
    """
    pointer = file.with_name(file.name + POINTER)
    if pointer.is_file():
        return load_pointer(pointer).md5
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return digest_of_stream(stream, "md5")


def original_pointers(model: Path) -> list[Pointer]:
    """Return DVC's pointers to what was converted; none of a model that was not.

    Raises:
        SlipwayError: one of them is malformed.
    """
    return [load_pointer(file) for file in sorted((model / FOLDER).glob(f"*{POINTER}"))]


def dump_record(record: Mapping[str, Any]) -> str:
    """Return the text of ``conversion.json``: equal for equal records."""
    return json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
