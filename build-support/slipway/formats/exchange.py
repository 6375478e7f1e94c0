"""What the library and a process in a conversion environment tell one another, in files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from slipway.formats.format import Array, Arrays, Converted, Feature, Options, Tensor

HEADER = "header"


def save_arrays(arrays: Arrays, path: Path) -> None:
    """Write arrays, texts among them (objects of ``str`` or ``bytes``), to an ``.npz`` file."""
    header: list[list[Any]] = []
    parts: dict[str, Array] = {}
    for number, (name, array) in enumerate(arrays.items()):
        is_text = array.dtype.kind in "OUS"
        header.append([name, list(array.shape), is_text])
        if is_text:
            texts = [_bytes(text) for text in array.ravel()]
            parts[f"texts{number}"] = np.frombuffer(b"".join(texts), np.uint8)
            parts[f"lengths{number}"] = np.array([len(text) for text in texts], np.int64)
        else:
            parts[f"numbers{number}"] = array
    parts[HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **parts)


def load_arrays(path: Path) -> dict[str, Array]:
    """Read what :func:`save_arrays` wrote; texts become objects of ``str``."""
    with np.load(path, allow_pickle=False) as parts:
        arrays: dict[str, Array] = {}
        for number, (name, shape, is_text) in enumerate(json.loads(parts[HEADER].tobytes())):
            if not is_text:
                arrays[name] = parts[f"numbers{number}"]
                continue
            data, ends = parts[f"texts{number}"].tobytes(), np.cumsum(parts[f"lengths{number}"])
            texts = [
                data[end - length : end].decode("utf-8", "surrogateescape")
                for end, length in zip(ends, parts[f"lengths{number}"], strict=True)
            ]
            arrays[name] = np.array([*texts, None], dtype=object)[:-1].reshape(shape)
    return arrays


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogateescape")


def save_json(value: Any, path: Path) -> None:
    """Write a value of dataclasses, JSON's types, paths and numpy's numbers."""
    path.write_text(json.dumps(value, default=_plain, sort_keys=True), encoding="utf-8")


def load_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    return asdict(value) if hasattr(value, "__dataclass_fields__") else dict(value)


def converted_of(values: Mapping[str, Any]) -> Converted:
    """Return the :class:`Converted` that was written as JSON."""
    known = _known(Converted, values)
    for side in ("inputs", "outputs"):
        known[side] = tuple(_tensor(tensor) for tensor in known[side])
    return Converted(**_tuples(known))


def options_of(values: Mapping[str, Any]) -> Options:
    """Return the :class:`Options` that were written as JSON."""
    code = values["code"]
    return Options(**{**values, "code": Path(code) if code else None})


def _tensor(values: Mapping[str, Any]) -> Tensor:
    features = tuple(Feature(**_tuples(feature)) for feature in values["features"])
    return Tensor(**{**_tuples(values), "features": features})


def _known(kind: type[Converted], values: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: values[field.name] for field in fields(kind) if field.name in values}


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
