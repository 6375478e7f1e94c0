"""What a file of PyTorch is, read without unpickling anything.

Sources: caffe2/serialize/inline_container.h (archives), torch/export/pt2_archive/constants.py,
torch/serialization.py (the older files, of several pickles), the README of safetensors.
"""

from __future__ import annotations

import json
import pickletools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents

type Kind = Literal["exported", "aoti", "script", "state", "module"]

LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"  # torch.serialization.MAGIC_NUMBER
LARGEST_PICKLE = 64 << 20  # bytes; names of tensors, not the tensors
LARGEST_HEADER = 100_000_000  # bytes, of safetensors itself
# what tensors, their containers and plain values are made of (torch/_weights_only_unpickler.py)
PLAIN = {
    "collections OrderedDict",
    "collections defaultdict",
    "torch Size",
    "torch device",
    "torch dtype",
    "torch Tensor",
    "torch._tensor _rebuild_from_type_v2",
    "torch.nn.parameter Parameter",
    "_codecs encode",
    "numpy dtype",
    "numpy._core.multiarray scalar",
    "numpy.core.multiarray scalar",
    "torch.storage UntypedStorage",
    "torch.storage TypedStorage",
    "torch.serialization _get_layout",
}
TYPES = {"float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8"}


@dataclass(frozen=True)
class TorchFile:
    """``classes`` are those that the pickle names besides tensors and plain values.

    ``root`` is the folder within the archive, "" for other files; ``version`` that of torch, as
    far as the file tells.
    """

    kind: Kind
    root: str = ""
    classes: tuple[str, ...] = ()
    version: str = ""
    container: str = "zip"


def read(contents: Contents) -> TorchFile | None:
    """Return what a file of PyTorch or safetensors is; ``None`` for other files.

    Raises:
        SlipwayError: it is truncated.
    """
    if contents.path.is_dir():
        return None
    if contents.head.startswith(LEGACY):
        classes = _classes(_pickles(contents.path))
        return TorchFile("module" if classes else "state", classes=classes, container="legacy")
    if _is_safetensors(contents):
        return TorchFile("state", container="safetensors")
    names = contents.names
    if not names:
        return None
    root = next((name.partition("/")[0] for name in names if "/" in name), "")
    held = {name.partition("/")[2] for name in names if name.startswith(f"{root}/")}
    if any(name.startswith("data/aotinductor/") for name in held):
        return TorchFile("aoti", root)
    if any(name.startswith("models/") and name.endswith(".json") for name in held):
        return TorchFile("exported", root, version=_exporter(contents, root, held))
    if "serialized_exported_program.json" in names:
        return TorchFile("exported")
    if "data.pkl" not in held:
        return None
    if "constants.pkl" in held or any(name.startswith("code/") for name in held):
        return TorchFile("script", root)
    classes = _classes(contents.member(f"{root}/data.pkl", LARGEST_PICKLE))
    return TorchFile("module" if classes else "state", root, classes)


def _exporter(contents: Contents, root: str, held: set[str]) -> str:
    name = next(name for name in sorted(held) if name.startswith("models/"))
    try:
        program = json.loads(contents.member(f"{root}/{name}", LARGEST_PICKLE))
    except ValueError:
        return ""
    return str(program.get("torch_version", "")) if isinstance(program, dict) else ""


def _is_safetensors(contents: Contents) -> bool:
    size = int.from_bytes(contents.head[:8], "little")
    if not 2 <= size < LARGEST_HEADER or contents.head[8:9] != b"{":
        return False
    if 8 + size + _data_size(contents, size) > contents.path.stat().st_size:
        raise SlipwayError("the safetensors file is truncated", fix="copy the file again")
    return b'"data_offsets"' in contents.head


def _pickles(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_PICKLE)


def _classes(data: bytes) -> tuple[str, ...]:
    """Return the classes and functions that pickles name, without those of plain tensors."""
    named: list[str] = []
    texts: list[str] = []
    position = 0
    end = 0
    try:
        while position < len(data) and data[position : position + 1] == b"\x80":
            for operation, argument, at in pickletools.genops(data[position:]):
                if operation.name == "GLOBAL":
                    named.append(str(argument))
                elif operation.name == "STACK_GLOBAL":
                    named.append(" ".join(texts[-2:]))
                elif isinstance(argument, str):
                    texts.append(argument)
                end = (at or 0) + 1
            position += end
    except (ValueError, EOFError, UnicodeDecodeError):
        pass  # the raw storages behind the pickles of an older file
    telling = sorted((name for name in named if not _plain(name)), key=_is_library)
    return tuple(dict.fromkeys(name.replace(" ", ".") for name in telling))


def _is_library(name: str) -> bool:
    return name.startswith(("torch.", "__builtin__ ", "builtins "))


def _plain(name: str) -> bool:
    module, _, attribute = name.partition(" ")
    if name in PLAIN or module == "torch" and (attribute in TYPES or attribute.endswith("Storage")):
        return True
    return module == "torch._utils" and attribute.startswith("_rebuild_")


def _data_size(contents: Contents, size: int) -> int:
    """Return the bytes that the header of ``size`` bytes says the tensors have; 0 if it is cut."""
    with contents.path.open("rb") as file:
        header = file.read(8 + size)[8:]
    try:
        tensors = json.loads(header)
    except ValueError:
        return 0
    ends = [t["data_offsets"][1] for name, t in tensors.items() if name != "__metadata__"]
    return max(ends, default=0)
