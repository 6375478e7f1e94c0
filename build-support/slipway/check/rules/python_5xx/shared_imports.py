"""What the packages of the repository import without requiring it, or do not have."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.known_modules import (
    available_modules,
    distributions_of,
    is_locked,
    locked_packages,
)
from slipway.check.python.shared_code import missing_modules, shared_imports


def missing_in_shared_code(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find what the packages of the repository import without requiring it, or do not have."""
    for code, statement in missing_modules(model):
        yield RuleHit(
            statement.code.location(statement.node),
            f"{code.pyproject.parent} has no module {statement.name!r}",
            f"correct the name, or add the module to {code.root}",
        )
    locked = locked_packages(model)
    available = available_modules(model)
    for code, statement in shared_imports(model) if locked else ():
        if statement.top in available or is_locked(statement.name, locked):
            continue
        distributions = distributions_of(statement.name)
        if distributions:
            yield RuleHit(
                statement.code.location(statement.node),
                f"{statement.name!r} is part of {distributions[0]}, which is not locked",
                f"add {distributions[0]} to dependencies in {code.pyproject}, then slipway lock"
                f" {model.folder}",
            )
