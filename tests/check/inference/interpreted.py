"""The behaviour of a Python model whose code a test writes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.inference.behaviour import interpret
from slipway.check.inference.events import Behaviour
from slipway.check.python.code import analyse
from slipway.check.python.model import PythonModel
from slipway.check.python_file import parse_python
from slipway.triton.config import FILE_NAME

HEAD = """\
import json
import numpy as np
import triton_python_backend_utils as pb_utils
"""
CONFIG = """\
name: "model"
backend: "python"
max_batch_size: 8
input { name: "IN" data_type: TYPE_FP32 dims: [ 4 ] }
input { name: "HINT" data_type: TYPE_STRING dims: [ 1 ] optional: true }
output { name: "OUT" data_type: TYPE_FP32 dims: [ 4 ] }
"""


def behaviour_of(
    code: str, folder: Path, *, config: str = "", files: dict[str, str] | None = None
) -> Behaviour:
    """Return what a ``model.py`` does whose class is ``code``, with modules next to it."""
    return interpret(python_model(code, folder, config=config, files=files))


def python_model(
    code: str, folder: Path, *, config: str = "", files: dict[str, str] | None = None
) -> PythonModel:
    """Write a model into ``folder`` and return it; ``config`` is appended to :data:`CONFIG`."""
    version = folder / "1"
    version.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text(CONFIG + config, encoding="utf-8")
    for name, text in {"model.py": HEAD + code, **(files or {})}.items():
        (version / name).write_text(text, encoding="utf-8")
    copies: Counter[str] = Counter()
    parsed = [parse_python(path, copies) for path in sorted(version.glob("*.py"))]
    config_file = ConfigFile(folder / FILE_NAME)
    assert config_file.message is not None
    return PythonModel(
        config_file,
        config_file.message,
        tuple(file for file in parsed if file.path.name == "model.py"),
        tuple(parsed),
        tuple(analyse(file) for file in parsed if file.tree is not None),
        True,
    )


def execute(body: str, *, more: str = "") -> str:
    """Return the class with this body of ``execute``, lines without indentation."""
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    methods = "".join(f"    {line}\n" if line else "\n" for line in more.splitlines())
    return f"class TritonPythonModel:\n{methods}    def execute(self, requests):\n{lines}"
