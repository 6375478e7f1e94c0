"""What Pants finds of the plugin."""

from __future__ import annotations

from collections.abc import Iterable

from pants.engine.rules import Rule
from pants.engine.target import Target
from pants.engine.unions import UnionRule

from slipway_pants import linting, ruff, testing, typechecking
from slipway_pants import rules as making
from slipway_pants.targets import TARGET_TYPES


def rules() -> Iterable[Rule | UnionRule]:
    """The rules."""
    modules = (linting, making, ruff, testing, typechecking)
    return [rule for module in modules for rule in module.rules()]


def target_types() -> Iterable[type[Target]]:
    """The symbols that BUILD files know, beside prelude.py's."""
    return TARGET_TYPES
