"""``pruned.txt``: what of a model's environment is left out, for people to review."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from slipway.environment.lock import lock_content
from slipway.errors import SlipwayError

FILE_NAME = "pruned.txt"
LOCK = "lock "
KEEP = "keep "
HEAD = """\
# Left out of this model's environment: what none of its tests imported, and nothing that stays
# names. Written by: slipway environment prune {name}
# To undo it, delete a line, or this file. A line `keep PATTERN` keeps files that no test imports,
# also when this file is written again.
"""
LINE = re.compile(r"(lib|share)/[^\\]*[^\\/]/?")


@dataclass(frozen=True)
class Pruned:
    """What ``path`` lists: ``names`` are files of the environment, or folders with a slash.

    A Python module is named by its source, also where only its bytecode is packed. ``lock`` is the
    SHA-256 of the content of the lock whose environment was traced. ``keep`` are patterns.
    """

    lock: str
    names: tuple[str, ...]
    keep: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the names."""
        return hashlib.sha256("\n".join(self.names).encode()).hexdigest()

    def matches(self, name: str) -> bool:
        """Return whether the file ``name`` is left out."""
        parts = name.split("/")
        folders = {"/".join(parts[:end]) + "/" for end in range(1, len(parts))}
        return name in self.names or not folders.isdisjoint(self.names)

    def dump(self, name: str) -> str:
        """Return the text of the file, for the model ``name``."""
        lines = [f"{LOCK}{self.lock}", *(f"{KEEP}{pattern}" for pattern in self.keep), *self.names]
        return HEAD.format(name=name) + "\n".join(lines) + "\n"


def load_pruned(lock: Path) -> Pruned | None:
    """Return the list next to ``lock``, if there is one.

    Raises:
        SlipwayError: a line is invalid, or the list was made for another content of the lock.
    """
    file = lock.with_name(FILE_NAME)
    if not file.is_file():
        return None
    pruned = read_pruned(file)
    if pruned.lock != lock_digest(lock):
        raise SlipwayError(
            f"made for another {lock.name}: what it leaves out may be needed now",
            where=str(file),
            fix=f"slipway environment prune {lock.parent}/ writes it again; or delete it",
        )
    return pruned


def read_pruned(file: Path) -> Pruned:
    """Read a list, of whatever lock.

    Raises:
        SlipwayError: a line is invalid.
    """
    digest, names, keep = "", [], []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if line.startswith(LOCK):
            digest = line.removeprefix(LOCK)
        elif line.startswith(KEEP):
            keep.append(line.removeprefix(KEEP))
        elif line and not line.startswith("#"):
            if not LINE.fullmatch(line) or ".." in line.split("/"):
                raise SlipwayError(
                    f"{line!r} is no file of an environment",
                    where=f"{file}:{number}",
                    fix="a path such as lib/python3.12/site-packages/numpy/f2py/",
                )
            names.append(line)
    return Pruned(digest, tuple(sorted(names)), tuple(keep))


def lock_digest(lock: Path) -> str:
    """Return the SHA-256 of the lock's content, as ``environment.json`` has it."""
    return hashlib.sha256(lock_content(lock).encode()).hexdigest()


def kept_by(patterns: Iterable[str], names: Iterable[str]) -> set[str]:
    """Return the ``names`` that one of the patterns names, each with or without leading folders."""
    wanted = tuple(patterns)
    return {
        name
        for name in names
        if any(fnmatch.fnmatchcase(name, p) or fnmatch.fnmatchcase(name, f"*/{p}") for p in wanted)
    }


def collapse(pruned: Iterable[str], all_names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names by their lines, one for each folder of which nothing stays."""
    left = set(pruned)
    stays = {folder for name in all_names if name not in left for folder in _folders(name)}
    lines: dict[str, list[str]] = {}
    for name in sorted(left):
        line = next((folder for folder in _folders(name) if folder not in stays), name)
        lines.setdefault(line, []).append(name)
    return dict(sorted(lines.items()))


def _folders(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[:end]) + "/" for end in range(1, len(parts) + 1)]
