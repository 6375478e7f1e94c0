"""What a file of Keras says about itself, read without running or building anything.

Sources: keras/src/saving/saving_lib.py (the archive), keras/src/legacy/saving/legacy_h5_format.py
(attributes ``keras_version`` and ``model_config`` of the root group), the HDF5 file format
specification, II.A (the superblock's end-of-file address).
"""

from __future__ import annotations

import json
import mmap
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents

MEMBERS = {"config.json", "metadata.json"}
WEIGHTS = ("model.weights.h5", "model.weights.npz")
HDF5 = b"\x89HDF\r\n\x1a\n"
# where the superblock of each version has the address of the file's end, of 8 bytes
END_OF_FILE = {0: 40, 1: 44, 2: 28, 3: 28}
# names that files of Keras have: models, weights of Keras 2, of 3.0 and of later ones
GROUPS = (
    (b"keras_version",),
    (b"layer_names", b"weight_names"),
    (b"_layer_checkpoint_dependencies",),
    (b"\0layers\0", b"\0vars\0"),
)
# JSON of a model in an attribute of the root group
CONFIG = re.compile(rb'\{"(?:class_name|module|config)": ')
VERSION = re.compile(rb"\d+\.\d+\.\d+[\w.-]*")
VERSION_KEY = b"keras_version\0"
MESSAGE = 120  # bytes of an attribute's message that are searched for its value
HEAP = b"GCOL"  # a collection of texts of variable length


@dataclass(frozen=True)
class KerasFile:
    """``version`` is that of the Keras that wrote it, "" where the file does not say."""

    version: str
    config: Mapping[str, Any]
    legacy: bool = False

    def parts(self) -> Iterator[Mapping[str, Any]]:
        """Yield the configuration of the model and of all that it is made of."""
        yield from _parts(self.config)


def read_archive(contents: Contents) -> KerasFile | None:
    """Return what a ``.keras`` archive holds; ``None`` for other files.

    Raises:
        SlipwayError: it has no weights, or is of Keras 2.
    """
    names = set(contents.names)
    if not names >= MEMBERS:
        return None
    try:
        metadata = json.loads(contents.member("metadata.json"))
        config = json.loads(contents.member("config.json", limit=100_000_000))
    except ValueError:
        return None
    if not isinstance(metadata, dict) or "keras_version" not in metadata:
        return None
    if str(metadata["keras_version"]).startswith("2."):
        what = f"a .keras archive of Keras {metadata['keras_version']}, which Keras 3 cannot load"
        fix = "where it was trained: model.save(FILE.h5) or model.export(FOLDER)"
        raise SlipwayError(what, fix=fix)
    if not names & set(WEIGHTS):
        fix = "save it with model.save(FILE.keras)"
        raise SlipwayError("the .keras archive holds no weights", fix=fix)
    return KerasFile(str(metadata["keras_version"]), config)


def read_hdf5(contents: Contents) -> KerasFile | None:
    """Return what an HDF5 file of Keras holds; ``None`` for other files.

    Raises:
        SlipwayError: it is truncated, or holds weights without the model.
    """
    if not contents.head.startswith(HDF5):
        return None
    with (
        contents.path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as m,
    ):
        if not any(all(m.find(name) >= 0 for name in names) for names in GROUPS):
            return None
        _check_size(contents.head, len(m))
        config = _config(m)
        if config is None:
            what = "an HDF5 file with weights of Keras only: the model itself is not in it"
            fix = "build the model, model.load_weights(FILE), then model.save(FILE.keras)"
            raise SlipwayError(what, fix=fix)
        return KerasFile(_version(m), config, legacy=True)


def _check_size(head: bytes, size: int) -> None:
    start = END_OF_FILE.get(head[8])
    if start is not None and int.from_bytes(head[start : start + 8], "little") > size:
        raise SlipwayError("the HDF5 file is truncated", fix="copy or save it again")


def _config(data: mmap.mmap) -> Mapping[str, Any] | None:
    for start in CONFIG.finditer(data):
        text = data[start.start() : data.find(b"\0", start.start())]
        try:
            config, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))
        except ValueError:
            continue
        if isinstance(config, dict) and "class_name" in config and "config" in config:
            return config
    return None


def _version(data: mmap.mmap) -> str:
    """Return the text of the attribute: in its message, or in the heap that the message names."""
    start = data.find(VERSION_KEY)
    message = data[start + len(VERSION_KEY) : start + MESSAGE] if start >= 0 else b""
    if inline := VERSION.search(message):
        return inline[0].decode()
    for at in range(len(message) - 15):
        size, heap, index = struct.unpack_from("<IQI", message, at)
        if 0 < size < 64 and 0 < heap < len(data) and data[heap : heap + 4] == HEAP:
            return _heap_text(data, heap, index)[:size].decode("ascii", "replace")
    return ""


def _heap_text(data: mmap.mmap, heap: int, index: int) -> bytes:
    position, end = heap + 16, heap + int.from_bytes(data[heap + 8 : heap + 16], "little")
    while position + 16 <= min(end, len(data)):
        number, _, size = struct.unpack_from("<HHxxxxQ", data, position)
        if number == index:
            return data[position + 16 : position + 16 + size]
        if number == 0:
            break
        position += 16 + (size + 7) // 8 * 8
    return b""


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str):
                yield value
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
