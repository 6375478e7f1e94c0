"""Find mistakes in model folders without a server: offline, and in a fraction of a second."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from slipway.check.finding import Create, Edit, Finding, Fix, Location, Lock, Move, Remove

if TYPE_CHECKING:
    from slipway.check.checking import (
        check,
        check_config,
        check_folder,
        check_foreign,
        check_left_out,
        check_model,
    )
    from slipway.check.rule import RULES, Rule

__all__ = [
    "RULES",
    "Create",
    "Edit",
    "Finding",
    "Fix",
    "Location",
    "Lock",
    "Move",
    "Remove",
    "Rule",
    "check",
    "check_config",
    "check_folder",
    "check_foreign",
    "check_left_out",
    "check_model",
]


def __getattr__(name: str) -> Any:
    # the rules take longer to import than it takes to see that nothing changed
    if name in __all__:
        return getattr(importlib.import_module("slipway.check.checking"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
