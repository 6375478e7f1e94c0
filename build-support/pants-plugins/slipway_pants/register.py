"""The rules and target types that the plugin registers with Pants."""

from __future__ import annotations

from collections.abc import Iterable

from pants.engine.rules import Rule
from pants.engine.target import Target
from pants.engine.unions import UnionRule

from slipway_pants import (
    library,
    linting,
    packaging,
    parts,
    ruff,
    shared,
    steps,
    testing,
    typechecking,
    workspace,
)
from slipway_pants.targets import TARGET_TYPES


def rules() -> Iterable[Rule | UnionRule]:
    """Return the rules of all modules."""
    modules = (
        library,
        linting,
        packaging,
        parts,
        ruff,
        shared,
        steps,
        testing,
        typechecking,
        workspace,
    )
    return [rule for module in modules for rule in module.rules()]


def target_types() -> Iterable[type[Target]]:
    """Return the symbols for BUILD files, in addition to prelude.py's."""
    return TARGET_TYPES
