"""Load generated protobuf modules of other packages, without importing these packages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_module(name: str) -> ModuleType:
    """Return the generated module ``name``, such as ``onnx.onnx_ml_pb2``.

    It is loaded by its path: importing it by its name runs the packages' ``__init__`` first, and
    those import gRPC or numpy and cost half a second at every start.
    """
    if name not in sys.modules:
        top, *inner = name.split(".")
        package = importlib.util.find_spec(top)
        assert package is not None and package.submodule_search_locations
        path = Path(package.submodule_search_locations[0], *inner).with_suffix(".py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        sys.modules[name] = loaded
    return sys.modules[name]
