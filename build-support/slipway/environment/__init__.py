"""Execution environments, in which Triton runs a model's Python code."""

from slipway.environment.build import build_environment
from slipway.environment.environment import ExecutionEnvironment, Package, load_environment
from slipway.environment.lock import check_lock, lock_requirements

__all__ = [
    "ExecutionEnvironment",
    "Package",
    "build_environment",
    "check_lock",
    "load_environment",
    "lock_requirements",
]
