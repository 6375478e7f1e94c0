"""ONNX: repaired for the release that serves, and compared with the file as it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.format import (
    Array,
    Arrays,
    Cause,
    Choice,
    Converted,
    Options,
    Recognised,
)
from slipway.formats.graphs.sessions import (
    find_size,
    has_free_batch,
    open_session,
    tensor_of,
    versions,
)
from slipway.formats.rows import answer_in_batches
from slipway.triton.image.onnx_runtimes import RUNTIMES, runtime_of

FILE = "model.onnx"
BATCH = "max_batch_size"  # a setting
DEFAULT_BATCH = 16
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
        if not signature.opsets:
            raise SlipwayError(
                "an ONNX model that is cut off: it names no opset, which exporters write last",
                where=str(contents.path),
                fix="copy or export it again",
            )
        newest = RUNTIMES[-1]
        if signature.ir_version > newest.ir_version or opset > newest.opset:
            raise SlipwayError(
                f"an ONNX model of opset {opset} and IR {signature.ir_version}, newer than any"
                f" release of Triton takes (opset {newest.opset}, IR {newest.ir_version})",
                where=str(contents.path),
                fix=f"export it with opset_version={newest.opset} or lower",
            )
        facts = {
            "opset": opset,
            "ir_version": signature.ir_version,
            "ml_opset": signature.opsets.get("ai.onnx.ml", 0),
            "maps": any(output.datatype.startswith("sequence(") for output in signature.outputs),
        }
        about = f"an ONNX model of opset {opset}, IR {signature.ir_version}"
        return Recognised(about, facts, signature.external_data)

    @staticmethod
    def is_served_as_it_is(recognised: Recognised, triton: str) -> bool:
        """Return whether a release takes the graph without a repair."""
        facts, runtime = recognised.facts, runtime_of(triton) or RUNTIMES[-1]
        versions = ((key, getattr(runtime, key)) for key in ("opset", "ir_version", "ml_opset"))
        return not facts["maps"] and all(int(facts[key]) <= most for key, most in versions)

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX Runtime."""
        return Choice("onnxruntime", "ONNX Runtime serves the graph")

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock of ONNX and of its newest runtime."""
        return "onnx.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Copy the graph and its files, or write it with repairs; find its tensors and batches."""
        beside, repairs = _write(source, out, options.triton)
        written = open_session(out / FILE)
        inputs, outputs = written.get_inputs(), written.get_outputs()
        joins = all(has_free_batch(tensor.shape) for tensor in (*inputs, *outputs))
        batch = int(options.settings.get(BATCH, DEFAULT_BATCH if joins else 0))
        size = find_size(written, inputs, batch=batch > 0)
        notes = () if batch else ("a request is one row: not all first dimensions are free",)
        return Converted(
            backend=options.backend,
            files=(FILE, *beside),
            inputs=tuple(tensor_of(tensor, batch=batch > 0, size=size) for tensor in inputs),
            outputs=tuple(tensor_of(tensor, batch=batch > 0, size=size) for tensor in outputs),
            repairs=repairs,
            notes=notes,
            versions=versions(),
            max_batch_size=batch,
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Answer each row alone, with the newest ONNX Runtime and the file as it was."""
        return _answer(source, rows, converted, min(converted.max_batch_size, 1))

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Find out whether rows influence one another."""
        if converted.max_batch_size == 0 or len(differs) < 2:
            return ()
        alone = _answer(source, rows, converted, 1)
        joined = _answer(source, rows, converted, converted.max_batch_size)
        if all(np.array_equal(alone[name], joined[name]) for name in alone):
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


def _write(source: Path, out: Path, triton: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write the graph for ``triton``; return the files of its tensors, and what was repaired."""
    import onnx
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    from slipway.formats.graphs.limits import lower
    from slipway.formats.graphs.names import repair_names
    from slipway.formats.graphs.zipmap import drop_zipmaps

    graph = onnx.load(str(source), load_external_data=False)
    beside = {
        next(entry.value for entry in tensor.external_data if entry.key == "location")
        for tensor in _get_all_tensors(graph)
        if uses_external_data(tensor)
    }
    for name in sorted(beside):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.parent / name, out / name)
    repairs = (*drop_zipmaps(graph), *lower(graph, triton), *repair_names(graph))
    if repairs:
        onnx.save(graph, str(out / FILE))
    else:
        shutil.copyfile(source, out / FILE)
    return tuple(sorted(beside)), repairs


def _answer(source: Path, rows: Arrays, converted: Converted, batch: int) -> dict[str, Array]:
    """Return the answers of the file as it was; its tensors are in the order of the repaired."""
    session = open_session(source)
    names = [tensor.name for tensor in session.get_inputs()]

    def run(part: dict[str, Array]) -> dict[str, Array]:
        feed = {
            name: part[tensor.name] for name, tensor in zip(names, converted.inputs, strict=True)
        }
        outputs = map(_array, session.run(None, feed))
        return {o.name: found for o, found in zip(converted.outputs, outputs, strict=True)}

    return answer_in_batches(run, dict(rows), batch)


def _array(output: Any) -> Array:
    """Return an output; of a ZipMap, whose rows are dictionaries, their values."""
    if isinstance(output, list) and output and isinstance(output[0], dict):
        return np.array([list(row.values()) for row in output], np.float32)
    return np.asarray(output)


FORMAT = Onnx()
