"""Every kind of mistake, and how often it is made."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.check.mutation import files, structure, text
from tests.check.mutation.mistake import Maker, Mistake

# the number among a hundred mistakes
KINDS: dict[str, tuple[int, tuple[Maker, ...]]] = {
    "rename": (24, (text.name, text.name, files.directory, files.file, files.code)),
    "drop": (18, (structure.drop,)),
    "retype": (12, (structure.retype,)),
    "rewire": (14, (structure.rewire,)),
    "reshape": (12, (structure.reshape, text.number)),
    "spelling": (12, (text.field, text.constant, text.kind_of_number, text.mark, text.platform)),
    "double": (2, (structure.double,)),
    "files": (3, (files.version, files.file)),
    "graph": (3, (files.graph,)),
}


def make(folder: Path, random: Random) -> Mistake:
    """Make one mistake in the model folder."""
    while True:
        kind = random.choices(list(KINDS), [share for share, _ in KINDS.values()])[0]
        what = random.choice(KINDS[kind][1])(folder, random)
        if what is not None:
            return Mistake(kind, what)
