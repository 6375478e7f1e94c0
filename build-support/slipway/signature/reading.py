"""Read the signature of a model's weights, from the weights or from the file next to a pointer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slipway.errors import SlipwayError
from slipway.model.pointer import Pointer, load_pointer
from slipway.model.weights import Weights
from slipway.signature import onnx, sidecar
from slipway.signature.formats import ONNX_FOLDER, recognize_format
from slipway.signature.signature import Signature

SUFFIX = ".onnx"
# what the native backend opens in a directory (onnxruntime_backend, ModelState::LoadModel)
GRAPH = "model.onnx"
State = Literal["weights", "signed", "absent", "unsigned", "stale", "unreadable", "foreign"]


@dataclass(frozen=True)
class Reading:
    """What is known of the weights ``file``.

    ``state``: "weights", read from the weights that lie there; "signed", from the signature file
    of the pointer's md5; and without a signature, for the ``problem``: "absent", there are neither
    weights nor a pointer; "unsigned", the pointer has no signature file; "stale", that one is of
    other weights; "unreadable", what lies there is not what it should be; "foreign", it is in ONNX
    Runtime's own format, which has no reader.
    """

    file: Path
    state: State
    signature: Signature | None = None
    problem: str = ""


def read_signature(file: Path, load: Callable[[Path], Pointer] = load_pointer) -> Reading:
    """Read the signature of the ONNX weights that belong at ``file``, a file or a directory.

    The weights win where both exist: they are what their author works with. ``load`` reads a DVC
    pointer.
    """
    graph = graph_of(file)
    if graph is not None and onnx.is_flatbuffer(graph):
        return Reading(file, "foreign", problem="it is in ONNX Runtime's own format")
    if graph is not None:
        try:
            return Reading(file, "weights", onnx.read_onnx(graph))
        except SlipwayError as error:
            return Reading(file, "unreadable", problem=error.what)
    pointer = file.with_name(file.name + ".dvc")
    if not pointer.exists():
        return Reading(file, "absent", problem="neither the weights nor a DVC pointer to them")
    try:
        pointed = load(pointer)
    except SlipwayError as error:
        return Reading(file, "unreadable", problem=error.what)
    if not sidecar.sidecar_path(file).exists():
        return Reading(file, "unsigned", problem="the pointer has no signature file")
    try:
        signed = sidecar.load_sidecar(sidecar.sidecar_path(file))
    except SlipwayError as error:
        return Reading(file, "stale", problem=error.what)
    if signed.md5 != pointed.md5:
        return Reading(file, "stale", problem="the signature file is of other weights")
    return Reading(file, "signed", signed.signature)


def graph_of(weights: Path) -> Path | None:
    """Return the file that holds the graph, if it exists; for a directory, the file in it."""
    if weights.is_dir():
        weights = weights / GRAPH
    return weights if weights.is_file() else None


def add_weights(file: Path, store: Weights) -> tuple[Pointer, Path | None]:
    """Put weights under DVC and write their signature; refuse an ``.onnx`` file of another format,
    and a pointer of git LFS or a web page under any name.

    Raises:
        SlipwayError: see :func:`sign_weights` and ``Weights.add``; nothing was written then.
    """
    if file.suffix == SUFFIX:
        _read(graph_of(file), file)
    elif (known := recognize_format(file)) is not None and known.is_placeholder:
        raise SlipwayError(f"no weights, but {known.name}", where=str(file), fix=known.fix)
    pointer = store.add(file)
    return pointer, sign_weights(pointer, store)


def sign_weights(pointer: Pointer, store: Weights) -> Path | None:
    """Write the signature file next to ``pointer``; fetch its weights if the cache lacks them.

    Return its path, or ``None`` for weights of a format that has no reader.

    Raises:
        SlipwayError: the weights cannot be fetched, or are not of the format in their name.
    """
    if pointer.path.suffix != SUFFIX:
        return None
    parts = store.cached(pointer)
    signature = _read(parts.get("", parts.get(GRAPH)), pointer.path)
    if signature is None:
        return None
    target = sidecar.sidecar_path(pointer.path)
    sidecar.save_sidecar(sidecar.SignedSignature(pointer.md5, pointer.size, signature), target)
    return target


def _read(graph: Path | None, named: Path) -> Signature | None:
    """Return the signature of the weights ``named`` in errors; ``None`` for a format without
    reader."""
    if graph is None:
        known = recognize_format(named) if named.is_dir() else None
        if known is not None and known.name != ONNX_FOLDER:
            raise SlipwayError(
                f"not ONNX weights, but {known.name}", where=str(named), fix=known.fix
            )
        raise SlipwayError(
            f"a directory of ONNX weights that holds no {GRAPH}",
            where=str(named),
            fix=f"name the graph in it {GRAPH}",
        )
    if onnx.is_flatbuffer(graph):
        return None
    try:
        return onnx.read_onnx(graph)
    except SlipwayError as error:
        raise SlipwayError(error.what, where=str(named), fix=error.fix) from error
