"""The rules, by what they look at; importing this registers them all."""

from slipway.check.rules import (
    backend_files,
    bls,
    edges,
    ensemble,
    environment,
    ignores,
    imports,
    layout,
    python_models,
    release,
    scheduling,
    schema,
    security,
    size,
    tensors,
    weights,
)

__all__ = [
    "backend_files",
    "bls",
    "edges",
    "ensemble",
    "environment",
    "ignores",
    "imports",
    "layout",
    "python_models",
    "release",
    "scheduling",
    "schema",
    "security",
    "size",
    "tensors",
    "weights",
]
