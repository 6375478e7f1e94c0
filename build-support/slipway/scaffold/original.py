"""Keep what was converted beside what is served: the file under DVC, options, lock, rows, stage."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.files import digest_of_stream
from slipway.formats.conversion import Conversion
from slipway.model.original import (
    CONVERTED,
    FOLDER,
    LOCK,
    OPTIONS,
    RECORD,
    ROWS,
    ConversionOptions,
    dump_record,
)

STAGE = """\
# Converts the file that the training wrote: dvc repro models/{name}/dvc.yaml
stages:
  convert:
    cmd: slipway weights convert {name}
    deps:
{deps}
    outs:
      - {folder}/{converted}:
          push: false
      - {folder}/{record}:
          cache: false
          persist: true
"""


def write_original(model: Path, name: str, conversion: Conversion, rows: Path | None) -> list[Path]:
    """Write ``original/`` and ``dvc.yaml`` of the model ``name`` to its folder ``model``.

    ``rows`` is the user's file of reference rows. Return the files that DVC has to keep.
    """
    folder = model / FOLDER
    folder.mkdir()
    source = folder / conversion.source.name
    if conversion.source.is_dir():
        shutil.copytree(conversion.source, source)
    else:
        shutil.copyfile(conversion.source, source)
    options = _options(conversion, rows, f"{name}_inferencer/1")
    for file, target in ((rows, options.rows), (conversion.options.code, options.code)):
        if file is not None and target is not None:
            shutil.copyfile(file, folder / target)
    (folder / OPTIONS).write_text(options.dump(), encoding="utf-8")
    shutil.copyfile(conversion.lock, folder / LOCK)
    (folder / ".gitignore").write_text(f"/{CONVERTED}\n", encoding="utf-8")
    beside = conversion.recognised.beside
    for part in beside:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(conversion.source.parent / part, folder / part)
    record = complete_record(conversion)
    (folder / RECORD).write_text(dump_record(record), encoding="utf-8")
    kept = (options.source, *beside, OPTIONS, LOCK, options.rows, options.code)
    deps = "\n".join(f"      - {FOLDER}/{file}" for file in kept if file)
    text = STAGE.format(name=name, deps=deps, folder=FOLDER, converted=CONVERTED, record=RECORD)
    (model / "dvc.yaml").write_text(text, encoding="utf-8")
    return [folder / tracked for tracked in (options.source, *beside)]


def _options(conversion: Conversion, rows: Path | None, serves: str) -> ConversionOptions:
    chosen = conversion.options
    return ConversionOptions(
        source=conversion.source.name,
        format=conversion.format,
        backend=chosen.backend,
        serves=serves,
        triton=chosen.triton,
        tolerance=float(conversion.record["tolerance"]),
        rows=f"{ROWS}{rows.suffix}" if rows is not None else None,
        code=chosen.code.name if chosen.code is not None else None,
        settings=dict(chosen.settings),
    )


def complete_record(conversion: Conversion) -> dict[str, Any]:
    """Return the conversion's record, with the md5 of what it wrote, by which DVC knows it."""
    files: Mapping[str, str] = conversion.record["files"]
    described = {}
    for name in files:
        data = conversion.folder / name
        described[name] = {"sha256": files[name], "md5": _md5(data), "size": data.stat().st_size}
    source = dict(conversion.record["source"])
    if conversion.source.is_file() and not conversion.recognised.beside:
        source["md5"] = _md5(conversion.source)
    return {**conversion.record, "files": described, "source": source}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return digest_of_stream(file, "md5")
