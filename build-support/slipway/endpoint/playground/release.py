"""What the page has to know of one release: its inputs and outputs, its shadow, examples."""

from __future__ import annotations

import base64
import json
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
from slipway.model.request import format_shape
from slipway.triton.datatypes import BYTES, NUMPY_TYPES

MOST_EXAMPLES = 20
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
    """Return the golden cases of a model's folder that have one row and fit the release: its
    artifact holds none, and the folder may be at another commit."""
    examples = []
    for case in cases.cases(folder)[:MOST_EXAMPLES]:
        try:
            values = _fields(case, interface)
        except (SlipwayError, ValueError, TypeError):
            continue  # a damaged case is `slipway check`'s to report
        if values is None:
            continue
        parameters = cases.parameters(case)
        examples.append(
            {
                "name": case.name,
                "inputs": values,
                "parameters": json.dumps(parameters) if parameters else "",
            }
        )
    return examples


def _fields(case: Path, interface: Interface) -> dict[str, Any] | None:
    values = cases.inputs(case)
    if not set(values) <= set(interface.inputs):
        return None
    names = _file_names(case)
    fields = {
        name: _field(value, interface.inputs[name].datatype, names.get(name, f"{name}.bin"))
        for name, value in values.items()
    }
    size = sum(len(field["value"]) for field in fields.values())
    return fields if size <= LARGEST_EXAMPLE else None


def _file_names(case: Path) -> dict[str, str]:
    """Return the first file that each input of a case names, for people to see."""
    content = cases.read(case / cases.INPUT)["inputs"]
    entries = content.items() if isinstance(content, dict) else []
    names = {}
    for name, value in entries:
        while isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict) and "file" in value:
            names[str(name)] = Path(str(value["file"])).name
    return names


def _field(value: Any, datatype: str, file: str) -> dict[str, str]:
    """Return a value of a case as the page sends it."""
    array = value if isinstance(value, np.ndarray) else np.array(value, dtype=object)
    if datatype == BYTES and array.size == 1:
        element = array.ravel()[0]
        if isinstance(element, str):
            return {"kind": "text", "value": element}
        try:
            return {"kind": "text", "value": element.decode()}
        except UnicodeDecodeError:
            return {"kind": "file", "value": base64.b64encode(element).decode(), "name": file}
    if isinstance(value, np.ndarray) and datatype != BYTES:
        value = _texts(value)
        return {"kind": "json", "value": value}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return {"kind": "json", "value": json.dumps(_decoded(value), ensure_ascii=False)}


def _texts(array: np.ndarray[Any, Any]) -> str:
    """Return an array of numbers as JSON with the digits of its own type."""
    if array.ndim:
        return f"[{', '.join(_texts(part) for part in array)}]"
    return element_text(array[()])


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(element) for element in value]
    return value.decode() if isinstance(value, bytes) else value
