"""Answer rows with a Python model."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

from slipway.formats.format import Array, Converted
from slipway.formats.served.harness import answer_with


def answer(folder: Path, rows: Mapping[str, Array], converted: Converted) -> dict[str, Array]:
    """Return the answers of ``model.py``, by the names of ``converted.outputs``."""
    version = folder.resolve()
    sys.path.insert(0, str(version))
    spec = importlib.util.spec_from_file_location("model", version / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["model"] = module
    spec.loader.exec_module(module)
    return answer_with(module.TritonPythonModel, version, rows, converted)


def versions() -> dict[str, str]:
    """Return the versions of what answered."""
    return {"python": sys.version.split()[0]}
