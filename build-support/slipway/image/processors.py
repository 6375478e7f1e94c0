"""Whether models ask for a GPU, and the configs with which they run without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from slipway.image.models import ImageModel
from slipway.server.cpu_fallback import use_cpu
from slipway.triton import config


def for_cpu(model: ImageModel) -> tuple[ImageModel, tuple[str, ...]]:
    """Return ``model`` with configs that need no GPU, changed as for the tests on a machine without
    one, and what was changed.

    Raises:
        SlipwayError: a config cannot be read.
    """
    replaced, changes = dict(model.replaced), []
    for name, text, lines in _lowered(model):
        replaced[f"{name}/{config.FILE_NAME}"] = text.encode()
        changes += [f"{name}: {line}" for line in lines]
    return replace(model, replaced=replaced), tuple(changes)


def needs_gpu(model: ImageModel) -> list[str]:
    """Return the models whose configs ask for a GPU; Triton does not load them without one."""
    return [name for name, _, _ in _lowered(model)]


def _lowered(model: ImageModel) -> Iterator[tuple[str, str, list[str]]]:
    for name, text in sorted(model.contents.configs.items()):
        parsed = config.parse_config(text, where=f"{model.contents.path}: {name}")
        lines = use_cpu(parsed)
        if lines:
            yield name, config.render(parsed), lines
