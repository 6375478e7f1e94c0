"""The folder ``folded/`` of a model: what was folded into its graph, so that it is folded again.

It holds the models as they were before, which are edited and trained: the inferencer with its own
weights under DVC, the postprocessing, the ensemble. What is served is made of them by
``slipway fold``, and ``fold.json`` says of which.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.model.original import POINTER, served_md5
from slipway.model.pointer import Pointer, load_pointer

FOLDER = "folded"
RECORD = "fold.json"
BYTECODE = "__pycache__"
SIGNATURE = ".signature.json"


@dataclass(frozen=True)
class FoldRecord:
    """What ``fold.json`` says.

    ``sources`` has a digest of each file below ``folded/``, of weights the md5. ``graph`` is the
    served file that came of it, relative to the model's folder, and ``md5`` its digest.
    """

    step: str
    inferencer: str
    ensemble: str
    graph: str
    md5: str
    sources: Mapping[str, str]

    def dump(self) -> str:
        """Return the text of ``fold.json``: equal for equal records."""
        return json.dumps(vars(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def is_folded(model: Path) -> bool:
    """Return whether a postprocessing was folded into the graph of the model folder ``model``."""
    return (model / FOLDER / RECORD).is_file()


def load_fold(model: Path) -> FoldRecord:
    """Return the record of a model folder.

    Raises:
        SlipwayError: it is malformed.
    """
    path = model / FOLDER / RECORD
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return FoldRecord(**values)
    except (OSError, ValueError, TypeError) as error:
        raise SlipwayError(
            f"malformed: {error}", where=str(path), fix=f"slipway fold {model.resolve().name}"
        ) from error


def source_digests(folder: Path) -> dict[str, str]:
    """Return a digest of each file below the folder ``folder``, by its path in it.

    Weights under DVC count as what their pointer names.
    """
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        pointed = file.with_name(file.name + POINTER).is_file()
        ours = name == RECORD or file.name == ".gitignore" or file.name.endswith(SIGNATURE)
        if not file.is_file() or pointed or ours or BYTECODE in file.parts:
            continue
        if file.name.endswith(POINTER):
            found[name.removesuffix(POINTER)] = load_pointer(file).md5
        else:
            found[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def why_old(model: Path, record: FoldRecord) -> str | None:
    """Return why what a model folder serves is not what its sources would be folded to now.

    Raises:
        SlipwayError: a pointer is malformed.
    """
    now = source_digests(model / FOLDER)
    for name in sorted(now.keys() | record.sources.keys()):
        if now.get(name) != record.sources.get(name):
            state = "is new" if name not in record.sources else "is gone" if name not in now else ""
            return f"{FOLDER}/{name} {state or 'has changed'} since it was folded"
    if served_md5(model / record.graph) != record.md5:
        return f"{record.graph} is not what was folded"
    return None


def folded_pointers(model: Path) -> list[Pointer]:
    """Return DVC's pointers to weights that were folded; none of a model that was not.

    Raises:
        SlipwayError: one of them is malformed.
    """
    return [load_pointer(file) for file in sorted((model / FOLDER).glob(f"*/*/*{POINTER}"))]


def fold_sources(model: Path) -> dict[str, Path]:
    """Return the folder of each model below ``folded/``, by its name."""
    return {
        folder.name: folder
        for folder in sorted((model / FOLDER).glob("*"))
        if folder.is_dir() and not folder.name.startswith(".")
    }
