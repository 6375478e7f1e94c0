"""Execution environments: what Triton runs a model's Python code in."""

from slipway.environment.build import build
from slipway.environment.environment import Environment, Package, load
from slipway.environment.lock import check, lock

__all__ = ["Environment", "Package", "build", "check", "load", "lock"]
