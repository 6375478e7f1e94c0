"""A request to a served model, ready to paste into a terminal."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from slipway import config
from slipway.repository import ModelFolder
from slipway.server.client import BINARY, HOST, TARGET
from slipway.server.triton import Server


def request(server: Server, target: str, model: ModelFolder) -> str:
    """A ``curl`` command that asks ``target``.

    A model whose one input is bytes is given a file of its golden cases, where one has a file;
    any other gets zeros and empty strings as JSON (KServe v2).
    """
    url = f"http://{HOST}:{server.port}/models/{server.model_hash(target)}/invoke"
    words = ["curl", "--silent", url, "--header", f"{TARGET}: {target}", "--header"]
    parsed = model.configs[model.ensemble]
    kinds = [config.dtype_name(tensor.data_type) for tensor in parsed.input]
    file = _file(model.path / "tests" / "cases") if kinds == ["BYTES"] else None
    if file is not None:
        # a header of no bytes: the body is the one input's one element (Triton's raw request)
        words += [f"Content-Type: {BINARY}0", "--data-binary", f"@{file}"]
    else:
        words += ["Content-Type: application/json", "--data", json.dumps(_blank(parsed))]
    return " ".join(map(shlex.quote, words))


def _file(cases: Path) -> Path | None:
    """A file that some golden case's input names."""
    for case in sorted(cases.glob("*/input.json")):
        inputs = json.loads(case.read_text(encoding="utf-8"))["inputs"]
        for values in inputs.values() if isinstance(inputs, dict) else ():
            for value in values if isinstance(values, list) else ():
                if isinstance(value, dict) and "file" in value:
                    return case.parent / str(value["file"])
    return None


def _blank(parsed: config.ModelConfig) -> dict[str, object]:
    batch = [1] if parsed.max_batch_size else []
    inputs = []
    for tensor in parsed.input:
        kind = config.dtype_name(tensor.data_type)
        shape = [*batch, *(max(1, dim) for dim in tensor.dims)]
        count = 1
        for dim in shape:
            count *= dim
        value: object = {"BYTES": "", "BOOL": False}.get(kind, 0)
        inputs.append(
            {"name": tensor.name, "shape": shape, "datatype": kind, "data": [value] * count}
        )
    return {"inputs": inputs}
