"""Execution environments, in which Triton runs a model's Python code."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slipway.environment.build import build_environment
    from slipway.environment.environment import ExecutionEnvironment, Package, load_environment
    from slipway.environment.lock import check_lock
    from slipway.environment.write_lock import lock_requirements, report_lock

__all__ = [
    "ExecutionEnvironment",
    "Package",
    "build_environment",
    "check_lock",
    "load_environment",
    "lock_requirements",
    "report_lock",
]

# building takes a third of a second to import, which those who only read a lock do not need
_MODULES = {
    "ExecutionEnvironment": "environment",
    "Package": "environment",
    "build_environment": "build",
    "check_lock": "lock",
    "load_environment": "environment",
    "lock_requirements": "write_lock",
    "report_lock": "write_lock",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
