"""Names for the models of a folder that no other folder has: they begin with the folder's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def prefixed_names(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Return the new name of each model of ``folder`` whose name does not begin with the folder's.

    The last word of a name is enough where it is unique: ``text_preprocessing`` of the folder
    ``reviews`` becomes ``reviews_preprocessing``. No new name is that of another model.
    """
    everyone = list(names)
    taken = {name for name in everyone if name.startswith(folder)}
    others = [name for name in everyone if name not in taken]
    short = Counter(_short(folder, name) for name in others)
    renamed = {}
    for name in others:
        wished = _short(folder, name)
        # a longer one may be what another model has already
        if short[wished] > 1 or wished in taken:
            wished = f"{folder}_{name}"
        number = 2
        unique = wished
        while unique in taken or unique in others:
            unique = f"{wished}_{number}"
            number += 1
        taken.add(unique)
        renamed[name] = unique
    return renamed


def _short(folder: str, name: str) -> str:
    last = name.rpartition("_")[2]
    # the last word of a version says nothing
    return f"{folder}_{last if last.isidentifier() else name}"
