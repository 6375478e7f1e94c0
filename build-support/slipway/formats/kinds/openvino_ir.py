"""OpenVINO's intermediate representation, which its backend serves as it is."""

from __future__ import annotations

import re
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
    Tensor,
)
from slipway.formats.rows import answer_in_batches
from slipway.triton.standins import newest_lock

HEAD = re.compile(rb'\s*(?:<\?xml[^>]*>\s*)?<net\b[^>]*?\bversion="(\d+)"')
WEIGHTS = re.compile(rb'\boffset="(\d+)"[^>]*?\bsize="(\d+)"|\bsize="(\d+)"[^>]*?\boffset="(\d+)"')
NEWEST = 11  # of the representation; openvino, src/frontends/ir: since 2022
TYPES = {
    "boolean": "BOOL",
    **{f"i{bits}": f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{f"u{bits}": f"UINT{bits}" for bits in (8, 16, 32, 64)},
    "f16": "FP16",
    "f32": "FP32",
}
ONE = 1
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
FILES = ("model.xml", "model.bin")


class OpenVino:
    """A graph as XML, and its weights in a file of the same name that ends with ``.bin``."""

    name = "openvino_ir"
    title = "an OpenVINO model"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return the version of the representation; the weights have to be there, whole."""
        match = HEAD.match(contents.head)
        if match is None:
            return None
        path, version = contents.path, int(match[1])
        text = path.read_bytes()
        if not text.rstrip().endswith(b"</net>"):
            raise SlipwayError(
                "an OpenVINO model that is cut off", where=str(path), fix="copy it again"
            )
        if version > NEWEST:
            raise SlipwayError(
                f"an OpenVINO model of version {version}, and Triton's releases read {NEWEST}",
                where=str(path),
                fix="save it with an older OpenVINO",
            )
        weights = path.with_suffix(".bin")
        needed = max((_end(match) for match in WEIGHTS.finditer(text)), default=0)
        there = weights.stat().st_size if weights.is_file() else 0
        if there < needed:
            raise SlipwayError(
                f"its weights {weights.name} have {there:,} bytes, and it reads {needed:,}",
                where=str(path),
                fix=f"copy {weights.name} from where it was exported, next to {path.name}",
            )
        beside = (weights.name,) if weights.is_file() else ()
        return Recognised("an OpenVINO model", {"version": version}, beside)

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return OpenVINO's backend, which runs on CPUs only."""
        return Choice("openvino", "Triton's openvino backend serves the very files, on CPUs")

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock of the newest OpenVINO that stands in for the backend."""
        return str(newest_lock("openvino"))

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Copy both files, and find the tensors.

        The backend takes full batches only, and loses rows after one that it has filled up: a
        request is one row.
        """
        model = _read(source)
        for name, file in zip(FILES, (source, source.with_suffix(".bin")), strict=True):
            if file.is_file():
                shutil.copyfile(file, out / name)
        ports = [*model.inputs, *model.outputs]
        single = all(_is_row(port.get_partial_shape()) for port in ports)
        first = 1 if single else 0
        note = "a request is one row: openvino_backend fails batches that are not full"
        return Converted(
            backend="openvino",
            files=tuple(name for name in FILES if (out / name).is_file()),
            inputs=tuple(_tensor(port, first) for port in model.inputs),
            outputs=tuple(_tensor(port, first) for port in model.outputs),
            notes=(note,) if single else (),
            versions=_versions(),
            max_batch_size=first,
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Answer with the newest OpenVINO in 32 bits, and the model as its file says it."""
        return _answer(source, rows, converted, EXACT)

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Find out whether it is this processor's bfloat16, which OpenVINO takes by itself."""
        exact, usual = (_answer(source, rows, converted, options) for options in (EXACT, {}))
        if all(np.array_equal(exact[name], usual[name]) for name in exact):
            return ()
        what = "OpenVINO computes in bfloat16 on processors that have it, such as this one"
        fix = "--tolerance 0.05, if production may answer so; else convert the original to ONNX"
        return (Cause(what, fix),)


def _answer(
    source: Path, rows: Arrays, converted: Converted, options: dict[str, str]
) -> dict[str, Array]:
    import openvino

    compiled = openvino.Core().compile_model(_read(source), "CPU", options)

    def run(part: dict[str, Array]) -> dict[str, Array]:
        answers = compiled(part)
        return {o.name: np.asarray(answers[o.name]) for o in converted.outputs}

    return answer_in_batches(run, dict(rows), converted.max_batch_size)


def _end(match: re.Match[bytes]) -> int:
    offset, size = (match[1], match[2]) if match[1] is not None else (match[4], match[3])
    return int(offset) + int(size)


def _read(source: Path) -> Any:
    import openvino

    try:
        return openvino.Core().read_model(str(source))
    except RuntimeError as error:
        raise SlipwayError(
            f"OpenVINO does not read it: {str(error).strip().splitlines()[-1]}",
            where=str(source),
            fix="export it again, both files",
        ) from error


def _is_row(shape: Any) -> bool:
    """Return whether the first of the sizes is a batch's: free, or 1."""
    if shape.rank.is_dynamic or not len(shape):
        return False
    return bool(shape[0].is_dynamic or shape[0].get_length() == ONE)


def _tensor(port: Any, first: int) -> Tensor:
    name, kind = port.get_any_name(), port.get_element_type().get_type_name()
    if kind not in TYPES:
        raise SlipwayError(
            f"the tensor {name!r} is of type {kind}, which openvino_backend does not take",
            fix="convert the model with another type of its inputs and outputs",
        )
    sizes = list(port.get_partial_shape())[first:]
    dims = tuple(size.get_length() if size.is_static else -1 for size in sizes)
    return Tensor(name, TYPES[kind], dims or (1,))


def _versions() -> dict[str, str]:
    import openvino

    return {"openvino": openvino.__version__.partition("-")[0]}


FORMAT = OpenVino()
