"""Answer rows with the backend that stands in for a native one on this machine's server."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from slipway.formats.format import Array, Converted
from slipway.formats.served.harness import answer_with


def answer(folder: Path, rows: Mapping[str, Array], converted: Converted) -> dict[str, Array]:
    """Return the answers, by the names of ``converted.outputs``."""
    module = importlib.import_module(f"slipway.server.{converted.backend}_backend.model")
    return answer_with(module.TritonPythonModel, folder.resolve(), rows, converted)


def versions() -> dict[str, str]:
    """Return nothing: the library that answers is known from its lock."""
    return {}
