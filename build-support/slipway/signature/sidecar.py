"""Read and write the signature file next to a DVC pointer, which replaces a download.

``model.onnx.dvc`` has ``model.onnx.signature.json``, which holds for the weights of its md5 only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.model.folder import SIGNATURE
from slipway.signature.signature import GraphTensor, Signature
from slipway.unchanged import remembered

TENSORS = ("inputs", "optional_inputs", "outputs")
LATER = ("locales",)  # not in files of earlier versions, and only where there are some
KEYS = {"md5", "size", "format", "ir_version", "opsets", "operators", "external_data", *TENSORS}


@dataclass(frozen=True)
class SignedSignature:
    """A signature, and its weights: their ``md5``, as the pointer has it, and size in bytes."""

    md5: str
    size: int | None
    signature: Signature


def sidecar_path(weights: Path) -> Path:
    """Return the path of the signature file of ``weights``."""
    return weights.with_name(weights.name + SIGNATURE)


def save_sidecar(signed: SignedSignature, path: Path) -> None:
    """Write a signature file: a line a tensor, equal bytes for equal signatures."""
    values = {"md5": signed.md5, "size": signed.size, **asdict(signed.signature)}
    values = {key: value for key, value in values.items() if value or key not in LATER}
    lines = [f"  {json.dumps(key)}: {_text(value)}" for key, value in values.items()]
    with atomic_write(path) as temporary:
        temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


@remembered
def load_sidecar(path: Path) -> SignedSignature:
    """Read a signature file.

    Raises:
        SlipwayError: it is missing, or not one that this version wrote.
    """
    pointer = str(path).removesuffix(SIGNATURE) + ".dvc"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if set(values) - set(LATER) != KEYS:
            raise ValueError(f"its keys are not {', '.join(sorted(KEYS))}")
        md5, size = str(values.pop("md5")), values.pop("size")
        values |= {key: tuple(map(_tensor, values[key])) for key in TENSORS}
        values |= {key: tuple(values[key]) for key in ("operators", "external_data")}
        values |= {key: tuple(values[key]) for key in LATER if key in values}
        return SignedSignature(md5, size, Signature(**values))
    except FileNotFoundError as error:
        raise SlipwayError(
            "no such signature file", where=str(path), fix=f"slipway weights sign {pointer}"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise SlipwayError(
            f"malformed signature file: {error}",
            where=str(path),
            fix=f"slipway weights sign {pointer}",
        ) from error


def _tensor(values: dict[str, Any]) -> GraphTensor:
    shape = values["shape"]
    return GraphTensor(values["name"], values["datatype"], None if shape is None else tuple(shape))


def _text(value: Any) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {_text(entry)}" for entry in value) + "\n  ]"
    return json.dumps(value, ensure_ascii=False)
