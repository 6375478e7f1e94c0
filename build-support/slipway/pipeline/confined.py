"""Whether a change of models concerns nothing but these models, so that Pants need not look.

To follow dependents, Pants computes the dependencies of every target: with a thousand models a
minute and gigabytes. What lies in a model's folder concerns other targets only if a BUILD file
elsewhere names it, or if code imports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from slipway.process import run

MODELS = "models"
BUILD_FILES = ("BUILD", "BUILD.pants")
# a source of which the first folder is no plain name
ANY_FOLDER = re.compile(rb"""["'](?:models/)?[^"'/!]*(?:\*\*|[*?\[][^"'/]*/)""")


def is_confined(root: Path, paths: Iterable[str], models: Iterable[str]) -> bool:
    """Return whether the changed ``paths`` are all in the folders of ``models``, and no target
    elsewhere may depend on them.

    Raises:
        SlipwayError: git fails.
    """
    names = set(models)
    for path in map(PurePosixPath, paths):
        inside = path.parts[0] == MODELS and len(path.parts) > 2 and path.parts[1] in names
        if not inside or path.name in BUILD_FILES or _is_importable(path):
            return False
    named = re.compile(rb"(?<![\w-])(?:%s)(?![\w-])" % b"|".join(map(_pattern, sorted(names))))
    for file in _build_files(root):
        parts = PurePosixPath(file).parts
        if parts[0] == MODELS and len(parts) > 2 and parts[1] in names:
            continue
        text = (root / file).read_bytes()
        above = len(parts) == 1 or (parts[0] == MODELS and len(parts) == 2)
        if named.search(text) or (above and ANY_FOLDER.search(text)):
            return False
    return bool(names)


def _is_importable(path: PurePosixPath) -> bool:
    """Return whether Python could import the file from elsewhere: a version's folder is no name."""
    return path.suffix == ".py" and all(part.isidentifier() for part in path.with_suffix("").parts)


def _pattern(name: str) -> bytes:
    return re.escape(name.encode())


def _build_files(root: Path) -> list[str]:
    listing = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    patterns = [f":(glob)**/{name}" for name in BUILD_FILES]
    found = run([*listing, "-z", "--", *patterns], what="listing the BUILD files").stdout
    return [file for file in found.split("\0") if file and (root / file).is_file()]
