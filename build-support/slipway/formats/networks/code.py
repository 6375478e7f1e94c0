"""The user's Python file that defines a model (``--code``). Imported in isolation only."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from slipway.errors import SlipwayError

NAME = "slipway_model_code"


def load_code(path: Path) -> ModuleType:
    """Return the module of the file ``path``; what lies in its folder can be imported by it.

    Raises:
        SlipwayError: it fails, with its own message.
    """
    if not path.is_file():
        raise SlipwayError("no such file", where=str(path), fix="--code names a Python file")
    spec = importlib.util.spec_from_file_location(NAME, path)
    if spec is None or spec.loader is None:
        raise SlipwayError("not a Python file", where=str(path), fix="--code names a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's code raises
        what = f"the code fails: {type(error).__name__}: {error}"
        fix = "it may import its framework, numpy, and files of its own folder"
        raise SlipwayError(what, where=str(path), fix=fix) from error
    finally:
        sys.path.remove(str(path.parent))
    return module
