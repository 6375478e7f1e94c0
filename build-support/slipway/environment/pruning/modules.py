"""The modules that a list leaves out of an environment, by the names that imports have for them."""

from __future__ import annotations

import re

from slipway.environment.libraries.imports import MODULE
from slipway.environment.pruning.listing import Pruned

PLACE = re.compile(r"lib/python\d+\.\d+/((site-packages|lib-dynload)/)?")


def left_out_modules(pruned: Pruned) -> dict[str, str]:
    """Return the line of the list for each module or package that it leaves out.

    A folder's line stands for the package, and so for all that is in it.
    """
    lines = {}
    for line in pruned.names:
        place = PLACE.match(line)
        rest = line[place.end() :] if place else ""
        match = MODULE.fullmatch(rest)
        if rest.endswith("/"):
            lines[rest.rstrip("/").replace("/", ".")] = line
        elif match:
            lines[match["path"].replace("/", ".")] = line
    return lines


def left_out_part(module: str, lines: dict[str, str]) -> tuple[str, str] | None:
    """Return what of ``module`` is left out, itself or a package that it is in, and its line."""
    parts = module.split(".")
    names = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return next(((name, lines[name]) for name in names if name in lines), None)
