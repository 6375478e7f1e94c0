"""Execution environments, in which Triton runs a model's Python code."""

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
