"""All formats: those of ``kinds/``, and those that installed packages register."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from slipway.formats import kinds
from slipway.formats.format import Format

GROUP = "slipway.formats"  # entry points of other packages; each names a Format


@cache
def formats() -> tuple[Format, ...]:
    """Return every format, those of other packages first: they may know a file better."""
    names = sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))
    own = [importlib.import_module(f"{kinds.__name__}.{name}").FORMAT for name in names]
    return (*(entry.load() for entry in sorted(entry_points(group=GROUP))), *own)
