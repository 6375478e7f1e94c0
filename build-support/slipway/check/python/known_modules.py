"""The modules that a model's environment has, by its lock and by Python's own."""

from __future__ import annotations

from functools import lru_cache

from packaging.utils import canonicalize_name

from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import UTILS
from slipway.check.python.import_names import DISTRIBUTIONS, SAME_NAME
from slipway.check.python.shared_code import shared_code
from slipway.environment import modules
from slipway.environment.lock import named_packages, pins

OWN = {UTILS, "c_python_backend_utils"}


@lru_cache(maxsize=1)  # for the folder under check
def available_modules(model: ModelUnderCheck) -> frozenset[str]:
    """Return the top-level modules of Python, Triton, a built environment and shared packages."""
    built = modules.importable_modules(model.lock, model.settings) or frozenset()
    shared = (code.modules for code in shared_code(model))
    standard = modules.standard_library(model.settings.python)
    return standard.union(OWN, built, {"__future__"}, *shared)


def distributions_of(name: str) -> tuple[str, ...]:
    """Return the distributions that provide a module, the usual one first; empty if unknown."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        distributions = DISTRIBUTIONS.get(".".join(parts[:end]))
        if distributions:
            return distributions
    return (canonicalize_name(parts[0]),) if parts[0] in SAME_NAME else ()


def is_locked(name: str, locked: set[str]) -> bool:
    top = name.partition(".")[0]
    distributions = distributions_of(name)
    if any(canonicalize_name(distribution) in locked for distribution in distributions or (top,)):
        return True
    # a namespace package: google-cloud-storage provides google.cloud.storage
    prefix = f"{canonicalize_name(top)}-"
    return not distributions and any(package.startswith(prefix) for package in locked)


@lru_cache(maxsize=1)  # for the folder under check
def locked_packages(model: ModelUnderCheck) -> set[str]:
    """Return the locked packages, and the required ones, which an outdated lock may lack."""
    if not model.lock.is_file():
        return set()
    return {*(name for name, _ in pins(model.lock)), *named_packages(model.requirements)}
