"""What the page has to know of one release: its inputs and outputs, its shadow, examples."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slipway.artifact.configs import read_configs
from slipway.catalog import keys
from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.endpoint.failure import denied
from slipway.endpoint.instance import objects
from slipway.endpoint.playground.elements import element_text
from slipway.endpoint.playground.releases import name_of
from slipway.endpoint.playground.served import Served
from slipway.errors import SlipwayError
from slipway.model import cases
from slipway.model.interface import Interface
from slipway.model.request import fit, format_shape
from slipway.triton.datatypes import NUMPY_TYPES, Array

MOST_EXAMPLES = 20
MOST_ROWS = 16  # of an example
LARGEST_EXAMPLE = 2**20  # bytes; the page gets all examples at once


def interface_of(served: Served, target: str) -> Interface:
    """Return the inputs and outputs of ``target``, of its record or its artifact.

    Raises:
        Failure: the endpoint must not serve it, or it cannot be a key.
        SlipwayError: there is no such release, or the store cannot be read.
    """
    target = objects.check(target)
    if not served.allows(target):
        raise denied(served.name, target)
    catalog, stage = served.catalog, served.releases
    name = name_of(target)
    if stage.store.stat(keys.record(stage.name, name, target)) is not None:
        return catalog.interface(name, target)
    key = keys.artifact(stage.name, target)
    if stage.store.stat(key) is None:
        raise catalog.unreleased(name, target)
    with stage.store.open(key) as stream:  # of another program, or copied by hand
        return read_configs(stream, key).interface


def describe(served: Served, target: str) -> dict[str, Any]:
    """Return what the page shows of a release, or of a container.

    Raises:
        Failure: as :func:`interface_of`.
        SlipwayError: as :func:`interface_of`.
    """
    limit = served.endpoint.limits.body
    if isinstance(served.endpoint, ContainerEndpoint):
        return {"target": target, "container": True, "limit": limit, "endpoint": served.name}
    interface = interface_of(served, target)
    name = name_of(target)
    found = served.catalog.find_alias(name)
    return {
        "endpoint": served.name,
        "name": name,
        "target": target,
        "container": False,
        "limit": limit,
        "alias": found.target if found else None,
        "shadow": found.shadow if found else None,
        "max_rows": interface.max_batch_size,
        "inputs": _tensors(interface, "inputs"),
        "outputs": _tensors(interface, "outputs"),
        "examples": _examples(served.settings.root / "models" / name, interface),
    }


def _tensors(interface: Interface, side: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "datatype": tensor.datatype,
            "dims": list(tensor.dims),
            "shape": format_shape(interface, tensor),
            "optional": tensor.optional,
            "sendable": tensor.datatype in NUMPY_TYPES,
        }
        for name, tensor in getattr(interface, side).items()
    ]


def _examples(folder: Path, interface: Interface) -> list[dict[str, Any]]:
    """Return the golden cases of a model's folder that fit the release. Its artifact holds none,
    so that they are of the folder as it is, which may be at another commit."""
    examples = []
    for case in cases.cases(folder)[:MOST_EXAMPLES]:
        try:
            rows, parameters = _rows(case, interface), cases.parameters(case)
        except (SlipwayError, ValueError, TypeError):
            continue  # of another interface, or damaged, which `slipway check` reports
        size = sum(len(field["value"]) for row in rows for field in row.values())
        if size <= LARGEST_EXAMPLE and len(rows) <= MOST_ROWS:
            text = json.dumps(parameters) if parameters else ""
            examples.append({"name": case.name, "rows": rows, "parameters": text})
    return examples


def _rows(case: Path, interface: Interface) -> list[dict[str, Any]]:
    """Return the rows of a case as the page sends them.

    Raises:
        SlipwayError: it does not fit ``interface``.
    """
    arrays = fit(interface, cases.inputs(case), name=case.name)
    files = _file_names(case)
    if not interface.batches:
        return [{name: _field(array, files.get(name, [])) for name, array in arrays.items()}]
    return [
        {name: _field(array[row], files.get(name, [])[row:]) for name, array in arrays.items()}
        for row in range(len(next(iter(arrays.values()))))
    ]


def _file_names(case: Path) -> dict[str, list[str]]:
    """Return the names of the files of each input of a case, in their order."""
    content = cases.read(case / cases.INPUT)["inputs"]
    entries = content.items() if isinstance(content, dict) else []
    return {str(name): list(_files_in(value)) for name, value in entries}


def _files_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for element in value:
            yield from _files_in(element)
    if isinstance(value, dict) and "file" in value:
        yield Path(str(value["file"])).name


def _field(array: Array, files: Sequence[str]) -> dict[str, str]:
    """Return the value of one row: a text, a file, or JSON."""
    if array.dtype != object:
        return {"kind": "json", "value": _json(array.reshape(-1)[0] if array.size == 1 else array)}
    texts = [_text(element) for element in array.ravel()]
    if array.size == 1:
        if texts[0] is not None and not files:
            return {"kind": "text", "value": texts[0]}
        data = base64.b64encode(array.ravel()[0]).decode()
        return {"kind": "file", "value": data, "name": next(iter(files), "file.bin")}
    if None in texts:
        raise ValueError("several files in one row")
    return {"kind": "json", "value": json.dumps(texts, ensure_ascii=False)}


def _json(value: Any) -> str:
    """Return numbers as JSON with the digits of their own type."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"[{', '.join(map(_json, value))}]"
    return element_text(value)


def _text(element: bytes) -> str | None:
    try:
        return element.decode()
    except UnicodeDecodeError:
        return None
