"""SW301–SW305: weights, their DVC pointers, and their signature files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Location, RuleHit
from slipway.check.model_files import POINTER
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.tensors.graphs import graphs_of_model
from slipway.errors import SlipwayError
from slipway.model.folder import SIGNATURE
from slipway.model.local_weights import difference_fix, differs
from slipway.model.pointer import Pointer
from slipway.signature import graph_of, sidecar
from slipway.signature.formats import recognize_format


@rule(
    "SW301",
    "unreadable-weights",
    reason="the load fails: ONNX Runtime answers INVALID_PROTOBUF",
    source="seen on Triton 24.10 with ONNX Runtime 1.21",
)
def unreadable_weights(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find weights that are not an ONNX model, or truncated."""
    for graph in graphs_of_model(model):
        file = graph_of(graph.file)
        if graph.reading.state == "unreadable" and file is not None:
            known = recognize_format(file)
            fix = "export the model again" if known is None else known.fix
            yield RuleHit(Location(file), graph.reading.problem, fix)


@rule(
    "SW302",
    "unsigned-pointer",
    scope="slipway",
    severity="warning",
    reason="without a signature, the weights are not compared with the config before a load",
    source="Slipway: signature/sidecar.py",
)
def unsigned_pointer(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find pointers without a signature to ONNX weights that are not here."""
    for graph in graphs_of_model(model):
        if graph.reading.state == "unsigned":
            pointer = _pointer(graph.file)
            yield RuleHit(
                Location(pointer), graph.reading.problem, f"slipway weights sign {pointer}"
            )


@rule(
    "SW303",
    "stale-signature",
    scope="slipway",
    severity="warning",
    reason="the signature describes other weights, so these are not compared with the config",
    source="Slipway: signature/sidecar.py",
)
def stale_signature(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find signature files whose md5 is not their pointer's, or that cannot be read."""
    for path in model.files():
        pointer = _pointer(Path(str(path).removesuffix(SIGNATURE)))
        if not path.name.endswith(SIGNATURE):
            continue
        sign = f"slipway weights sign {pointer}"
        if not pointer.exists():
            yield RuleHit(Location(path), f"no {pointer.name} next to it", "remove it")
            continue
        try:
            if sidecar.load_sidecar(path).md5 != model.pointer(pointer).md5:
                what = f"it is not the signature of the weights in {pointer.name}"
                yield RuleHit(Location(path), what, sign)
        except SlipwayError as error:
            if error.where != str(path):
                continue  # another rule reports a malformed pointer
            yield RuleHit(Location(path), error.what, sign)


@rule(
    "SW304",
    "weights-differ-from-pointer",
    scope="slipway",
    reason="the artifact is packed from the pointer, so these weights would not be published",
    source="Slipway: build.py",
)
def weights_differ_from_pointer(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find weights, files or folders, that are not those of the pointer next to them."""
    for pointer in _pointers(model):
        if differs(pointer, pointer.path, model.settings.root):
            yield RuleHit(
                Location(pointer.path),
                f"these are not the weights that {pointer.file.name} points to",
                difference_fix(pointer),
            )


@rule(
    "SW305",
    "malformed-pointer",
    reason="the build stops: the weights cannot be found",
    source="Slipway: model/weights.py",
)
def malformed_pointer(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ``.dvc`` files that are not a pointer to the file next to them."""
    for path in model.files():
        if path.suffix == POINTER and path.is_file():
            try:
                model.pointer(path)
            except SlipwayError as error:
                line = (error.where or "").rpartition(":")[2]
                location = Location(path, int(line) if line.isdigit() else 1)
                yield RuleHit(location, error.what, error.fix or "")


def _pointer(file: Path) -> Path:
    return file.with_name(file.name + POINTER)


def _pointers(model: ModelUnderCheck) -> Iterator[Pointer]:
    for path in model.files():
        if path.suffix == POINTER and path.is_file():
            try:
                yield model.pointer(path)
            except SlipwayError:
                continue
