"""ONNX: served as it is, and compared between ONNX Runtime's newest version and the served one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.datatypes import BYTES, numpy_type
from slipway.formats.format import (
    Array,
    Arrays,
    Cause,
    Choice,
    Converted,
    Options,
    Recognised,
    Tensor,
)
from slipway.formats.rows import answer_in_batches

FILE = "model.onnx"
BATCH = "max_batch_size"  # a setting
DEFAULT_BATCH = 16
# tried for free sizes: images need larger ones than text
SIZES = (8, 3, 2, 4, 1, 16, 32, 64, 128, 224, 256, 512)
DATATYPES = {"float": "FP32", "double": "FP64", "float16": "FP16", "string": BYTES, "bool": "BOOL"}
# the tags that follow the version of the format in what exporters write
SECOND = b"\x12\x1a\x22\x28\x32\x3a\x42\x72"


class Onnx:
    """See :class:`slipway.formats.format.Format`."""

    name = "onnx"
    title = "an ONNX model"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Read the header: versions, and the files that hold tensors."""
        if not _begins_like_onnx(contents.head):
            return None
        from slipway.signature.onnx import read_onnx  # the conversion environment has no signature

        signature = read_onnx(contents.path)
        opset = signature.opsets.get("", 0)
        facts = {"opset": opset, "ir_version": signature.ir_version}
        about = f"an ONNX model of opset {opset}, IR {signature.ir_version}"
        return Recognised(about, facts, signature.external_data)

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX Runtime."""
        return Choice("onnxruntime", "ONNX Runtime serves the file as it is")

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock of ONNX and of its newest runtime."""
        return "onnx.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Copy the graph and its files; find its tensors, and whether rows can be joined."""
        import onnx
        from onnx.external_data_helper import _get_all_tensors, uses_external_data

        shutil.copyfile(source, out / FILE)
        graph = onnx.load(str(source), load_external_data=False)
        beside = {
            next(entry.value for entry in tensor.external_data if entry.key == "location")
            for tensor in _get_all_tensors(graph)
            if uses_external_data(tensor)
        }
        for name in sorted(beside):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.parent / name, out / name)
        session = _session(source)
        inputs, outputs = session.get_inputs(), session.get_outputs()
        joins = all(_leads_free(tensor.shape) for tensor in (*inputs, *outputs))
        batch = int(options.settings.get(BATCH, DEFAULT_BATCH if joins else 0))
        size = _size(session, inputs, 1 if batch else None)
        notes = () if batch else ("a request is one row: the first dimensions are not all free",)
        return Converted(
            backend=options.backend,
            files=(FILE, *sorted(beside)),
            inputs=tuple(_tensor(tensor, batch, size) for tensor in inputs),
            outputs=tuple(_tensor(tensor, batch, size) for tensor in outputs),
            notes=notes,
            versions=_versions(),
            max_batch_size=batch,
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Answer each row alone, with the newest ONNX Runtime."""
        session = _session(source)
        names = [tensor.name for tensor in converted.outputs]

        def run(part: dict[str, Array]) -> dict[str, Array]:
            return dict(zip(names, session.run(names, part), strict=True))

        return answer_in_batches(run, dict(rows), min(converted.max_batch_size, 1))

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Find out whether rows influence one another."""
        if converted.max_batch_size == 0 or len(differs) < 2:
            return ()
        options = Options(converted.backend, "")
        alone = self.reference(source, rows, converted, options)
        session, names = _session(source), [tensor.name for tensor in converted.outputs]

        def run(part: dict[str, Array]) -> dict[str, Array]:
            return dict(zip(names, session.run(names, part), strict=True))

        joined = answer_in_batches(run, dict(rows), converted.max_batch_size)
        if all(np.array_equal(alone[name], joined[name]) for name in names):
            return ()
        what = "the graph answers a row otherwise with other rows in its batch"
        return (Cause(what, f"serve one row at a time: --set {BATCH}=0"),)


def _begins_like_onnx(head: bytes) -> bool:
    """Return whether the first fields are a version and what else ONNX begins with.

    A SavedModel's proto begins alike: with a 1, and a graph of more than a producer's name.
    """
    if head[:1] != b"\x08" or not 1 <= (head[1:2] or b"\0")[0] < 0x80 or head[2:3] not in SECOND:
        return False
    return head[2:3] != b"\x12" or (len(head) > 3 and head[3] < 0x80)


def _session(file: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common public root
        raise SlipwayError(
            f"ONNX Runtime {onnxruntime.__version__} cannot open it: {error}",
            where=str(file),
            fix="export it again, with operators of ONNX Runtime",
        ) from error


def _versions() -> Mapping[str, str]:
    return {name: version(name) for name in ("onnx", "onnxruntime")}


def _leads_free(shape: Sequence[Any]) -> bool:
    return bool(shape) and not isinstance(shape[0], int)


def _tensor(declared: Any, batch: int, size: int) -> Tensor:
    dims = tuple(dim if isinstance(dim, int) else -1 for dim in declared.shape)
    dims = dims[1:] if batch else dims
    example = tuple(size if dim < 0 else dim for dim in dims)
    return Tensor(declared.name, _datatype(declared), dims, example=example)


def _datatype(declared: Any) -> str:
    inner: str = declared.type.removeprefix("tensor(").removesuffix(")")
    if not declared.type.startswith("tensor("):
        raise SlipwayError(
            f"{declared.name!r} is {declared.type}: Triton has tensors only",
            fix="export it without ZipMap and sequences (skl2onnx: options={'zipmap': False})",
        )
    return DATATYPES.get(inner, inner.upper())


def _size(session: Any, inputs: Sequence[Any], batch: int | None) -> int:
    """Return a size of free dimensions with which the graph runs; the first if none does."""
    for size in SIZES:
        feed = {}
        for tensor in inputs:
            shape = [dim if isinstance(dim, int) else size for dim in tensor.shape]
            shape = [batch, *shape[1:]] if batch else shape
            dtype = numpy_type(_datatype(tensor))
            feed[tensor.name] = np.full(shape, "" if dtype.kind == "O" else 1, dtype)
        try:
            session.run(None, feed)
        except Exception:  # the graph refuses this size
            continue
        return size
    return SIZES[0]


FORMAT = Onnx()
