"""Import generated modules from a file, as an application does."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def import_text(text: str, folder: Path) -> ModuleType:
    """Return the module with the source ``text``."""
    file = folder / "generated.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("generated", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generated"] = module  # dataclasses look the module up there
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["generated"]
    return module
