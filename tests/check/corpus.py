"""The valid corpus: small valid models, most of which the local server can serve.

Each folder of ``fixtures/corpus`` holds a model's directories as in ``models/``. Their common parts
are added here: the release version and the lock of :data:`GOOD`. An ONNX graph is text in
``<file>.onnx.txt``, in ONNX's own syntax
(https://github.com/onnx/onnx/blob/main/docs/Syntax.md). ``requests.json`` is a list of KServe v2
requests; a model without it needs a backend or a feature that the local server lacks.
``slipway.toml`` exists where the model is for another Triton than that of :data:`GOOD`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from tests.check.fixture_repositories import FIXTURES, GOOD

CORPUS = FIXTURES / "corpus"
REQUESTS = "requests.json"
SETTINGS = "slipway.toml"
GRAPH = ".onnx.txt"
SHARED = ("requirements.txt", "requirements.lock")


def names() -> list[str]:
    """Return the names of all models of the corpus."""
    return sorted(path.name for path in CORPUS.iterdir() if path.is_dir())


def served_names() -> list[str]:
    """Return the names of the models that the local server serves."""
    return [name for name in names() if (CORPUS / name / REQUESTS).exists()]


def make(name: str, root: Path) -> Path:
    """Write the model ``name`` into the repository ``root``; return its folder."""
    return write(CORPUS / name, root)


def write(source: Path, root: Path, about: Sequence[str] = ()) -> Path:
    """Write the model of a fixture folder into the repository ``root``; return its folder.

    The files ``about`` the fixture are left out.
    """
    folder = root / "models" / source.name
    left_out = shutil.ignore_patterns(REQUESTS, SETTINGS, *about)
    shutil.copytree(source, folder, ignore=left_out)
    own = source / SETTINGS
    shutil.copyfile(own if own.exists() else GOOD / SETTINGS, root / SETTINGS)
    (folder / "model_version.txt").write_text("1.0.0\n")
    for text in list(folder.rglob(f"*{GRAPH}")):
        graph = onnx.parser.parse_model(text.read_text(encoding="utf-8"))
        onnx.checker.check_model(graph, full_check=True)
        onnx.save(graph, text.with_suffix(""))
        text.unlink()
    if any(folder.rglob("*.py")):
        for file in SHARED:
            shutil.copyfile(GOOD / "models" / "sound" / file, folder / file)
    return folder


def requests(name: str) -> list[dict[str, Any]]:
    """Return the requests for the model ``name``, in their order."""
    content: list[dict[str, Any]] = json.loads((CORPUS / name / REQUESTS).read_text())
    return content
