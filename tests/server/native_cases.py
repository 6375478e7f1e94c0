"""Cases with the answers of NVIDIA's C++ ONNX Runtime backend of release 24.10 on a CPU.

Each folder of ``fixtures/native`` holds a model, its graph as ONNX's text, and ``case.json``:

- ``documented``, the section of the measurement that says why: 2a for what passed here and fails or
  answers wrongly there, 2b for what was refused here and is served there, 2c for what both refuse;
- ``requests``, sent at once if ``parallel``, each ``{input: [data type, shape, values]}``;
- ``refused``, why the native backend does not load it, or ``answers``, one for each request;
- ``check``, the rules with which ``slipway check`` finds it; none where it depends on requests.
"""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from slipway.server.client import InferenceError
from slipway.server.server import Server
from slipway.triton.datatypes import Array

CASES = Path(__file__).parents[1] / "fixtures" / "native"
GRAPH = ".txt"

type Answer = dict[str, Array] | str


@dataclass(frozen=True)
class Case:
    """One case; an answer is outputs by name, or the error's message."""

    name: str
    parallel: bool
    requests: tuple[dict[str, Array], ...]
    refused: str
    answers: tuple[Answer, ...]
    rules: tuple[str, ...]


def names() -> list[str]:
    """Return the names of all cases."""
    return sorted(path.name for path in CASES.iterdir())


def load(name: str) -> Case:
    """Return the case ``name``."""
    content = json.loads((CASES / name / "case.json").read_text(encoding="utf-8"))
    return Case(
        name,
        content["parallel"],
        tuple({k: _array(v) for k, v in request.items()} for request in content["requests"]),
        content["refused"],
        tuple(
            answer if isinstance(answer, str) else {k: _array(v) for k, v in answer.items()}
            for answer in content["answers"]
        ),
        tuple(content["check"]),
    )


def make(name: str, folder: Path) -> Path:
    """Write the model of the case ``name`` to a new folder in ``folder``; return it."""
    model = folder / name
    shutil.copytree(CASES / name / name, model / name)
    text = model / name / "1" / f"model.onnx{GRAPH}"
    onnx.save(onnx.parser.parse_model(text.read_text(encoding="utf-8")), text.with_suffix(""))
    text.unlink()
    return model


def answers(server: Server, target: str, case: Case) -> list[Answer]:
    """Return the server's answers to the requests of ``case``, in their order."""

    def ask(request: dict[str, Array]) -> Answer:
        try:
            return server.invoke(target, request)
        except InferenceError as error:
            return error.what

    with ThreadPoolExecutor(len(case.requests) if case.parallel else 1) as pool:
        return list(pool.map(ask, case.requests))


def _array(value: list[Any]) -> Array:
    data_type, shape, values = value
    if data_type == "object":
        values = [text.encode("latin-1") for text in values]
    return np.array(values, dtype=data_type).reshape(shape)


def write(folder: Path, graph: str, config: str) -> Path:
    """Write a model repository with one model ``m`` of batches up to 4; return ``folder``."""
    version = folder / "m" / "1"
    version.mkdir(parents=True)
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{graph}')
    onnx.save(model, version / "model.onnx")
    text = f'name: "m" backend: "onnxruntime" max_batch_size: 4\n{config}\n'
    (folder / "m" / "config.pbtxt").write_text(text, encoding="utf-8")
    return folder
