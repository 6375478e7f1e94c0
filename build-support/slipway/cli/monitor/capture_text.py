"""Print captured requests, and what is captured of each release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import numpy as np

if TYPE_CHECKING:
    from slipway.capture.record import CapturedRequest
    from slipway.capture.summary import ReleaseSummary, Summary
    from slipway.triton.datatypes import Array

ELEMENTS = 6  # that are shown of a tensor
LONGEST = 40  # characters that are shown of a string
HEAD = ("release", "requests", "size", "from", "until (UTC)", "kept", "dropped", "redacted")


def print_summary(summary: Summary, location: str) -> None:
    """Print a row for each release, and what is not in the rows."""
    from slipway.units import format_bytes

    if not summary.releases and not summary.open_bytes:
        click.echo(f"nothing is captured in {location}; slipway endpoint up --capture captures")
    if summary.releases:
        rows = [HEAD, *map(_row, summary.releases)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        for row in rows:
            cells = [
                f"{cell:>{width}}" if column in (1, 2) else f"{cell:{width}}"
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            click.echo("  ".join(cells).rstrip())
    if summary.open_bytes:
        click.echo(
            f"{format_bytes(summary.open_bytes)} more are not in complete files yet, which takes"
            " five minutes at most; slipway capture show has them"
        )
    if summary.foreign:
        click.echo(f"{summary.foreign} files of other programs, which do not name their model")


def _row(release: ReleaseSummary) -> tuple[str, ...]:
    from slipway.units import format_bytes

    reasons = ", ".join(f"{number:,} {reason}" for reason, number in release.dropped.items())
    return (
        f"{release.endpoint}: {release.target.removesuffix('.tar.gz')}",
        f"{release.requests:,}",
        format_bytes(release.bytes),
        f"{release.since:%Y-%m-%d %H:%M}" if release.since else "-",
        f"{release.until:%Y-%m-%d %H:%M}" if release.until else "-",
        f"{release.days} d" if release.files else "-",
        reasons or "0",
        ", ".join(f"{name} ({_kept(kind)})" for name, kind in release.redacted.items()) or "-",
    )


def print_request(request: CapturedRequest) -> None:
    """Print one request and its answer."""
    role = ", a shadow" if request.role == "shadow" else ""
    target = request.target.removesuffix(".tar.gz")
    click.echo(f"{request.when:%Y-%m-%d %H:%M:%S} UTC  {target}{role}  {request.event_id}")
    for arrow, tensors in (("→", request.inputs), ("←", request.outputs)):
        for name, array in tensors.items():
            click.echo(
                f"  {arrow} {name} {_kind(request, name, array)}: {_values(request, name, array)}"
            )
    for name, kind in request.redacted.items():
        if name not in request.inputs and name not in request.outputs:
            shape = request.shapes.get(name)
            text = f" {shape[0]}{list(shape[1])}" if shape else ""
            note = f" ({request.notes[name]})" if name in request.notes else ""
            click.echo(f"  · {name}{text}: redacted, {_kept(kind)}{note}")


def request_values(request: CapturedRequest) -> dict[str, Any]:
    """Return the JSON values of a request, whole."""
    from slipway.capture.export import plain

    return {
        "event_id": request.event_id,
        "when": request.when.isoformat(),
        "endpoint": request.endpoint,
        "target": request.target,
        "variant": request.variant,
        "role": request.role,
        "inputs": {name: plain(array) for name, array in request.inputs.items()},
        "outputs": {name: plain(array) for name, array in request.outputs.items()},
        "redacted": dict(request.redacted),
        "shapes": {name: [kind, list(shape)] for name, (kind, shape) in request.shapes.items()},
        "parameters": dict(request.parameters),
        "notes": dict(request.notes),
    }


def _kind(request: CapturedRequest, name: str, array: Array) -> str:
    from slipway.triton.datatypes import datatype_of

    if name in request.redacted:
        datatype, shape = request.shapes[name]
        return f"{datatype}{list(shape)}, {_kept(request.redacted[name])}"
    return f"{datatype_of(array) or array.dtype}{list(array.shape)}"


def _kept(kind: str) -> str:
    """Return the word of capture.toml for what is kept."""
    from slipway.model.capture_rules import KEEP

    return next((word for word, keep in KEEP.items() if keep == kind), kind)


def _values(request: CapturedRequest, name: str, array: Array) -> str:
    flat = np.ravel(array)[:ELEMENTS].tolist()
    if request.redacted.get(name) == "thumbnail":
        flat = [f"PNG of {len(element):,} bytes" for element in flat]
    more = " …" if array.size > ELEMENTS else ""
    return " ".join(map(_element, flat)) + more


def _element(value: Any) -> str:
    """Return a value for a terminal: no control character of somebody's request gets there."""
    if isinstance(value, bytes):
        if not value[: LONGEST * 4].isascii() and not _is_text(value):
            return f"{len(value):,} bytes"
        value = value.decode(errors="replace")
    if isinstance(value, str):
        cut = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
