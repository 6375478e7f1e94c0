"""Evidently's own page about two windows of captured rows, where Evidently is installed.

Evidently compares rows with rows. A reference profile holds none, so the reference is the earlier
window of ``--against``. A column is an input or output of one value a row, or one column of a
tensor of a few; images and longer tensors have no place in Evidently's tables, and are named.
"""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slipway.capture.record import CapturedRequest
from slipway.drift.earlier import join_rows
from slipway.drift.verdict import DriftCheck, ReleaseDrift
from slipway.errors import SlipwayError
from slipway.triton.datatypes import Array

if TYPE_CHECKING:
    from slipway.drift.earlier import Tensors

VERSION = "0.7.23"  # that was tried
MOST_COLUMNS = 64  # of one tensor
MOST_TEXT = 1_000  # characters of a value
FIX = f"pip install slipway evidently=={VERSION} 'pandas<3', in an environment of its own"


def require_evidently() -> None:
    """Raise unless Evidently is installed.

    Raises:
        SlipwayError: it is not; names the command that installs it.
    """
    if importlib.util.find_spec("evidently") is None:
        raise SlipwayError("the package evidently is not installed", fix=FIX)


def render_page(check: DriftCheck) -> str:
    """Return Evidently's page about the one release that can be compared.

    Raises:
        SlipwayError: there are several releases or none, or no tensor of it fits into a table.
    """
    release = _only_release(check)
    reference, current, left_out = _tables(release)
    if not current:
        raise SlipwayError(
            f"no tensor of {release.name} fits into a table",
            where=", ".join(left_out),
            fix="leave out --style evidently",
        )
    # not among the locked packages, and slow to import
    evidently, presets, pandas = map(
        importlib.import_module, ("evidently", "evidently.presets", "pandas")
    )
    datasets = [
        evidently.Dataset.from_pandas(pandas.DataFrame(table)) for table in (current, reference)
    ]
    snapshot = evidently.Report([presets.DataDriftPreset()]).run(*datasets)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        snapshot.save_html(str(path))
        return path.read_text(encoding="utf-8")


def _only_release(check: DriftCheck) -> ReleaseDrift:
    filled = [release for release in check.releases if all(release.windows)]
    if len(filled) == 1:
        return filled[0]
    names = ", ".join(release.name for release in filled)
    raise SlipwayError(
        f"Evidently's page is about one release; {len(filled)} have requests in both windows",
        where=names or check.location,
        fix="name one model" if filled else "a longer --against, or capture more first",
    )


def _tables(release: ReleaseDrift) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Return the columns of both windows, and the tensors that have none."""
    before, now = (_columns(window) for window in release.windows)
    names = [name for name in now[0] if name in before[0]]
    left_out = sorted({*before[1], *now[1]})
    return {n: before[0][n] for n in names}, {n: now[0][n] for n in names}, left_out


def _columns(window: Sequence[CapturedRequest]) -> tuple[dict[str, Any], list[str]]:
    inputs, outputs, left_out = join_rows(window)
    columns: dict[str, Any] = {}
    for tensors in (inputs, outputs):
        left_out += _add_columns(columns, tensors)
    return columns, left_out


def _add_columns(columns: dict[str, Any], tensors: Tensors) -> list[str]:
    left_out = []
    for name, tensor in tensors.items():
        flat = tensor.reshape(len(tensor), -1)
        if not flat.shape[1] or flat.shape[1] > MOST_COLUMNS or _is_binary(flat):
            left_out.append(name)
        for index in range(flat.shape[1]) if name not in left_out else ():
            key = name if flat.shape[1] == 1 else f"{name}[{index}]"
            columns[key] = [_text(v) for v in flat[:, index]] if _is_text(flat) else flat[:, index]
    return left_out


def _is_text(tensor: Array) -> bool:
    return tensor.dtype == np.object_ or tensor.dtype.kind in "SU"


def _is_binary(tensor: Array) -> bool:
    """Return whether a value is not text, such as the bytes of an image."""
    if not _is_text(tensor):
        return False
    return any(isinstance(value, bytes) and b"\0" in value for value in tensor.ravel())


def _text(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text[:MOST_TEXT]
