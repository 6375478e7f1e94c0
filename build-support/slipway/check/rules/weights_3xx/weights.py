"""SW301–SW305: weights, their DVC pointers, and the signatures beside these."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Found, Place
from slipway.check.graphs import graphs
from slipway.check.model_files import POINTER
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.errors import SlipwayError
from slipway.model import weights
from slipway.model.folder import SIGNATURE
from slipway.signature import graph_of, sidecar

HASHED = 64 << 20  # bytes; a tenth of a second


@rule(
    "SW301",
    "unreadable-weights",
    reason="the load fails: ONNX Runtime answers INVALID_PROTOBUF",
    source="seen on Triton 24.10 with ONNX Runtime 1.21",
)
def unreadable_weights(subject: Subject) -> Iterator[Found]:
    """Weights that are no ONNX model, or cut short."""
    for graph in graphs(subject):
        file = graph_of(graph.file)
        if graph.reading.state == "unreadable" and file is not None:
            fix = "export the model again; if it is a pointer of git LFS: git lfs pull"
            yield Found(Place(file), graph.reading.problem, fix)


@rule(
    "SW302",
    "unsigned-pointer",
    severity="warning",
    reason="without the weights' signature nothing compares them with the config before a load",
    source="Slipway: signature/sidecar.py",
)
def unsigned_pointer(subject: Subject) -> Iterator[Found]:
    """A pointer to ONNX weights that are not here, without their signature."""
    for graph in graphs(subject):
        if graph.reading.state == "unsigned":
            pointer = _pointer(graph.file)
            yield Found(Place(pointer), graph.reading.problem, f"slipway weights sign {pointer}")


@rule(
    "SW303",
    "stale-signature",
    severity="warning",
    reason="the signature says what other weights were, so that nothing compares these",
    source="Slipway: signature/sidecar.py",
)
def stale_signature(subject: Subject) -> Iterator[Found]:
    """A signature file whose md5 is not its pointer's, or that cannot be read."""
    for path in subject.files():
        pointer = _pointer(Path(str(path).removesuffix(SIGNATURE)))
        if not path.name.endswith(SIGNATURE):
            continue
        again = f"slipway weights sign {pointer}"
        if not pointer.exists():
            yield Found(Place(path), f"no {pointer.name} beside it", "remove it")
            continue
        try:
            if sidecar.load(path).md5 != weights.read(pointer).md5:
                yield Found(Place(path), f"not of the weights that {pointer.name} names", again)
        except SlipwayError as error:
            if error.where != str(path):
                continue  # the pointer's own mistake is another rule's
            yield Found(Place(path), error.what, again)


@rule(
    "SW304",
    "weights-differ-from-pointer",
    severity="warning",
    reason="the artifact is packed from the pointer: what lies here is not what is published",
    source="Slipway: build.py",
)
def weights_differ_from_pointer(subject: Subject) -> Iterator[Found]:
    """Weights beside a pointer to others; large ones are compared by their size alone."""
    for pointer in _pointers(subject):
        file = pointer.path
        if not file.is_file():
            continue
        size = file.stat().st_size
        if size == pointer.size and (size > HASHED or _md5(file) == pointer.md5):
            continue
        yield Found(
            Place(file),
            f"{pointer.file.name} is of other weights",
            f"slipway weights add {file}, or for those of the pointer:"
            f" slipway weights pull {pointer.file}",
        )


@rule(
    "SW305",
    "malformed-pointer",
    reason="the build stops: the weights cannot be found",
    source="Slipway: weights.py",
)
def malformed_pointer(subject: Subject) -> Iterator[Found]:
    """A ``.dvc`` file that is no pointer to the file beside it."""
    for path in subject.files():
        if path.suffix == POINTER and path.is_file():
            try:
                weights.read(path)
            except SlipwayError as error:
                line = (error.where or "").rpartition(":")[2]
                place = Place(path, int(line) if line.isdigit() else 1)
                yield Found(place, error.what, error.fix or "")


def _pointer(file: Path) -> Path:
    return file.with_name(file.name + POINTER)


def _pointers(subject: Subject) -> Iterator[weights.Pointer]:
    for path in subject.files():
        if path.suffix == POINTER and path.is_file():
            try:
                yield weights.read(path)
            except SlipwayError:
                continue


def _md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()
