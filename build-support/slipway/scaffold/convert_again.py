"""Convert the original of a model again, and compare what comes of it with what is served."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway import signature
from slipway.errors import SlipwayError
from slipway.files import atomic_write, temp_sibling
from slipway.formats.conversion import Conversion
from slipway.formats.convert import convert
from slipway.formats.format import Options, Tensor
from slipway.formats.plan import Demands
from slipway.model.local_weights import differs
from slipway.model.original import (
    CONVERTED,
    FOLDER,
    LOCK,
    POINTER,
    RECORD,
    ConversionOptions,
    dump_record,
    load_options,
    load_record,
    original_pointers,
    replaced_files,
)
from slipway.model.pointer import load_pointer
from slipway.model.weights import Weights
from slipway.scaffold.original import complete_record
from slipway.settings import Settings
from slipway.triton import config
from slipway.triton.config import dtype_name

# of a record, in the order in which a cause is looked for
CAUSES = ("source", "lock", "versions", "options", "backend")


@dataclass(frozen=True)
class Repeated:
    """A conversion that was done again.

    ``different`` are the served files that have other bytes, ``causes`` what of the record changed.
    """

    conversion: Conversion
    served: Path
    files: tuple[str, ...]
    different: tuple[str, ...]
    causes: tuple[str, ...]


def convert_again(model: Path, settings: Settings) -> Repeated:
    """Convert the original of the model folder ``model`` as ``conversion.toml`` says.

    What comes of it is written below ``original/converted``, with its record; what is served stays
    as it is.

    Raises:
        SlipwayError: there is no original, it cannot be fetched or converted, or what comes of it
            answers otherwise than the framework, or has other inputs and outputs than are served.
    """
    options = load_options(model)
    folder = model / FOLDER
    _provide(folder / options.source, Weights(settings.root))
    before = load_record(model)
    with temp_sibling(folder / CONVERTED) as temporary:
        conversion = convert(
            folder / options.source,
            temporary,
            Options(
                options.backend,
                options.triton,
                folder / options.code if options.code else None,
                options.settings,
            ),
            _demands(folder, options),
        )
        record = complete_record(conversion)
        served = model / options.serves
        _refuse_other_tensors(served.parent / config.FILE_NAME, conversion)
        if (folder / CONVERTED).exists():
            shutil.rmtree(folder / CONVERTED)
        temporary.rename(folder / CONVERTED)
    with atomic_write(folder / RECORD) as file:
        file.write_text(dump_record(record), encoding="utf-8")
    files: Mapping[str, Mapping[str, Any]] = record["files"]
    different = [path.relative_to(served).as_posix() for path in replaced_files(model, record)]
    causes = [key for key in CAUSES if before is not None and before.get(key) != record.get(key)]
    return Repeated(conversion, served, tuple(files), tuple(different), tuple(causes))


def serve_converted(model: Path, repeated: Repeated, settings: Settings) -> None:
    """Make the files that were converted again those that are served, and put them under DVC.

    So is the original, where a training has just written it.
    """
    store = Weights(settings.root)
    for pointer in original_pointers(model):
        if differs(pointer, pointer.path, settings.root):
            store.add(pointer.path)
    for name in repeated.different:
        target = repeated.served / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as temporary:
            shutil.copyfile(model / FOLDER / CONVERTED / name, temporary)
        if not name.endswith(".py"):
            signature.add_weights(target, store)


def _demands(folder: Path, options: ConversionOptions) -> Demands:
    rows = folder / options.rows if options.rows else None
    return Demands(rows, options.tolerance, options.seed, folder / LOCK)


def _provide(source: Path, store: Weights) -> None:
    """Fetch the original, unless it lies there: a training may just have written it."""
    for pointer in sorted(source.parent.glob(f"*{POINTER}")):
        if not pointer.with_suffix("").exists():
            store.pull(load_pointer(pointer), pointer.with_suffix(""))
    if not source.exists():
        raise SlipwayError(
            "the original is not here, and no pointer to it",
            where=str(source),
            fix=f"copy it there, then slipway weights add {source}",
        )


def _refuse_other_tensors(file: Path, conversion: Conversion) -> None:
    parsed, converted = config.load_config(file), conversion.converted
    configured = {
        *(("input", t.name, dtype_name(t.data_type), tuple(t.dims)) for t in parsed.input),
        *(("output", t.name, dtype_name(t.data_type), tuple(t.dims)) for t in parsed.output),
    }
    wanted = {*_tensors("input", converted.inputs, converted.served)} | {
        *_tensors("output", converted.outputs, converted.served)
    }
    if configured != wanted:
        new = ", ".join(_text(tensor) for tensor in sorted(wanted - configured))
        old = ", ".join(_text(tensor) for tensor in sorted(configured - wanted))
        raise SlipwayError(
            f"the model has other tensors now: {new or 'none'} instead of {old or 'none'}",
            where=str(file),
            fix=f"change the configs, or make the folder again: slipway new NAME --from"
            f" {conversion.source}",
        )


def _tensors(
    side: str, tensors: tuple[Tensor, ...], served: Mapping[str, str]
) -> Iterator[tuple[str, str, str, tuple[int, ...]]]:
    for tensor in tensors:
        yield side, served.get(tensor.name, tensor.name), tensor.datatype, tensor.dims or (1,)


def _text(tensor: tuple[str, str, str, tuple[int, ...]]) -> str:
    side, name, datatype, dims = tensor
    return f"{side} {name} {datatype} {list(dims)}"
