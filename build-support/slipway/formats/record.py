"""What a manifest keeps of a conversion."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from slipway.files import sha256_of
from slipway.formats.format import Arrays, Converted
from slipway.formats.plan import Task


def record_of(
    task: Task,
    converted: Converted,
    rows: Arrays,
    difference: float | None,
    tolerance: float,
    out: Path,
) -> dict[str, Any]:
    """Return the record of a conversion whose files are in ``out``; equal for equal conversions."""
    options = task.options
    return {
        "format": task.form.name,
        "about": task.recognised.about,
        "backend": options.backend,
        "source": _describe(task.source, task.recognised.beside),
        "options": {
            "triton": options.triton,
            "seed": task.demands.seed,
            "settings": dict(options.settings),
            "code": sha256_of(options.code) if options.code else None,
        },
        "versions": dict(sorted(converted.versions.items())),
        "lock": sha256_of(task.lock),
        "files": {name: sha256_of(out / name) for name in sorted(converted.files)},
        "rows": {
            "count": len(next(iter(rows.values()))),
            "drawn": task.demands.rows is None,
        },
        "difference": difference,
        "tolerance": tolerance,
        "repairs": list(converted.repairs),
        "notes": list(converted.notes),
    }


def _describe(source: Path, beside: tuple[str, ...]) -> dict[str, Any]:
    files = sorted(path for path in source.rglob("*") if path.is_file())
    files = files or [source]
    files += [source.parent / name for name in beside]
    digests = {path.relative_to(source.parent).as_posix(): sha256_of(path) for path in files}
    text = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    one = next(iter(digests.values())) if len(digests) == 1 else None
    digest = one or hashlib.sha256(text.encode()).hexdigest()
    size = sum(path.stat().st_size for path in files)
    return {"name": source.name, "sha256": digest, "size": size}
