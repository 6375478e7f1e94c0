"""Generated modules, imported from a file as an application would."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def loaded(text: str, folder: Path) -> ModuleType:
    """The generated module, imported."""
    file = folder / "generated.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("generated", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generated"] = module  # dataclasses look for it there
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["generated"]
    return module
