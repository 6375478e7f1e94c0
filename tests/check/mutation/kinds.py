"""Every kind of mistake, and how often it is made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from tests.check.mutation import code, files, native, structure, text
from tests.check.mutation.mistake import Maker, Mistake

type Shares = Mapping[str, tuple[int, tuple[Maker, ...]]]
"""Kinds of mistakes: the number among a hundred mistakes, and what makes them."""

KINDS: Shares = {
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
# the same for mistakes in the code of Python models only
PYTHON_KINDS: Shares = {
    "return": (16, (code.returned,)),
    "list": (14, (code.wrapped,)),
    "argument": (14, (code.swapped,)),
    "convert": (16, (code.converted,)),
    "type": (16, (code.typed,)),
    "name": (14, (code.named,)),
    "index": (10, (code.indexed,)),
}
# the same for what the ONNX Runtime backend judges only
NATIVE_KINDS: Shares = {
    "parameter": (20, (native.parameter,)),
    "tuning": (15, (native.optimisation,)),
    "batch": (20, (native.batch,)),
    "scalar": (15, (native.scalar,)),
    "ragged": (15, (native.ragged,)),
    "sequence": (15, (native.sequence,)),
}


def make(folder: Path, random: Random, kinds: Shares = KINDS) -> Mistake:
    """Make one mistake of these kinds in the model folder."""
    while True:
        kind = random.choices(list(kinds), [share for share, _ in kinds.values()])[0]
        what = random.choice(kinds[kind][1])(folder, random)
        if what is not None:
            return Mistake(kind, what)
