"""All prebuilt models: those of ``kinds/``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from slipway.errors import SlipwayError
from slipway.scaffold.prebuilt import kinds
from slipway.scaffold.prebuilt.prebuilt import Prebuilt


def names() -> tuple[str, ...]:
    """Return the names of all prebuilt models, sorted; nothing is imported."""
    modules = pkgutil.iter_modules(kinds.__path__)
    return tuple(sorted(module.name.replace("_", "-") for module in modules))


@cache
def find_prebuilt(name: str) -> Prebuilt:
    """Return the prebuilt model ``name``.

    Raises:
        SlipwayError: there is none of this name.
    """
    if name not in names():
        raise SlipwayError(f"no prebuilt model {name!r}", fix=f"one of {', '.join(names())}")
    module = importlib.import_module(f"{kinds.__name__}.{name.replace('-', '_')}")
    kind: Prebuilt = module.KIND
    return kind
