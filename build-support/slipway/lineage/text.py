"""Render a lineage as text for a terminal, from the data to the endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipway.lineage.describe import (
    DIGITS,
    number,
    short_details,
    short_digest,
    size_of,
    source_lines,
)
from slipway.lineage.graph import Lineage, Node
from slipway.units import format_minute

MOST = 20  # files of a list that are shown
INDENT = "  "


def render_text(lineage: Lineage) -> list[str]:
    """Return the lines: each part in the order in which it was made, then what is not known."""
    lines = [f"{lineage.model} {lineage.version}"]
    parts = {
        "data": _files(lineage.of_kind("data")),
        "code": _code(lineage),
        "training": _training(lineage),
        "weights": _weights(lineage),
        "artifact": _artifact(lineage),
        "released": _released(lineage),
        "not known": list(lineage.unknown),
    }
    for title, part in parts.items():
        if part:
            lines += ["", title, *(f"{INDENT}{line}" for line in part)]
    return lines


def _files(nodes: list[Node]) -> list[str]:
    lines = []
    for node in nodes[:MOST]:
        lines.append(_joined(node.label, short_digest(node.details), size_of(node.details)))
        source = source_lines(node.details)
        if source:
            lines.append(f"{INDENT}{', '.join(source)}")
    return [*lines, *_more(len(nodes), "files")]


def _code(lineage: Lineage) -> list[str]:
    lines = []
    for node in lineage.of_kind("code"):
        changed = "with uncommitted changes" if node.details.get("dirty") else ""
        lines.append(_joined(node.label, changed))
        files = list(node.details.get("files", ()))
        lines += [f"{INDENT}{file}" for file in files[:MOST]] + _more(len(files), "files")
    lines += [f"image {node.label}" for node in lineage.of_kind("image")]
    for run in lineage.of_kind("run"):
        if run.details.get("lock"):
            lines.append(f"requirements.lock sha256 {run.details['lock'][:DIGITS]}")
    return lines


def _training(lineage: Lineage) -> list[str]:
    lines: list[str] = []
    for run in lineage.of_kind("run"):
        details = run.details
        when = ""
        if "started" in details:
            when = f"{format_minute(details['started'])} UTC, {details['seconds']:.1f} s"
        lines.append(_joined(run.label, f"on {details['place']}", when))
        if details.get("reason"):
            lines.append(f"{INDENT}started: {details['reason']}")
        lines += [f"{INDENT}job {job}" for job in details.get("jobs", ())]
        for stage in lineage.of_kind("stage"):
            lines += [f"{INDENT}{line}" for line in _stage(stage)]
        lines += [f"{INDENT}{line}" for line in _table("metrics", details.get("metrics", {}))]
        compared = details.get("compared")
        if compared:
            against = compared.get("release") or "nothing in production"
            lines.append(f"{INDENT}compared with {against}: {compared['verdict']}")
        signers = ", ".join(key[:DIGITS] for key in details.get("signed_by", ()))
        lines.append(
            f"{INDENT}{f'signed by {signers}' if signers else 'not signed by a trusted key'}"
        )
    return lines


def _stage(stage: Node) -> Iterator[str]:
    details = stage.details
    yield _joined(f"stage {stage.label}", details["source"])
    yield f"{INDENT}{details['command']}"
    for line in _table("parameters", details.get("parameters", {})):
        yield f"{INDENT}{line}"
    for out in details.get("writes", ()):
        yield f"{INDENT}wrote {_joined(out['path'], short_digest(out), size_of(out))}"


def _table(title: str, values: Mapping[str, Any]) -> list[str]:
    if not values:
        return []
    shown = list(values.items())[:MOST]
    width = max(len(name) for name, _ in shown)
    lines = [f"{INDENT}{name:{width}}  {number(value)}" for name, value in shown]
    return [title, *lines, *_more(len(values), title)]


def _weights(lineage: Lineage) -> list[str]:
    lines = []
    for node in lineage.of_kind("weights"):
        lines.append(_joined(node.label, short_digest(node.details), size_of(node.details)))
        lines += [f"{INDENT}{line}" for line in _came_from(lineage, node)]
    return lines


def _came_from(lineage: Lineage, node: Node) -> Iterator[str]:
    """Yield what ``node`` was made from, up to the training, a package or a commit."""
    for source, label in lineage.sources(node):
        details = short_details(source)
        if source.kind == "stage":
            yield f"written by stage {source.label} as {label}"
        elif source.kind == "run":
            yield f"written by {source.label}"
        elif source.kind == "conversion":
            yield _joined(f"converted {source.label}", *details)
            yield from _came_from(lineage, source)
        else:
            yield _joined(
                f"from {source.label}" if source.kind == "original" else source.label, *details
            )
            yield from _came_from(lineage, source)


def _artifact(lineage: Lineage) -> list[str]:
    lines = []
    for node in lineage.of_kind("artifact"):
        lines.append(_joined(node.label, short_digest(node.details), size_of(node.details)))
        commit = node.details.get("commit")
        if commit:
            changed = "with uncommitted changes" if node.details.get("dirty") else ""
            lines.append(f"{INDENT}{_joined(f'built from commit {commit[:7]}', changed)}")
        if node.details.get("pipeline"):
            lines.append(f"{INDENT}{node.details['pipeline']}")
    return lines


def _released(lineage: Lineage) -> list[str]:
    lines = []
    for release in lineage.of_kind("release"):
        lines.append(_joined(release.label, *short_details(release)))
        for alias, share in lineage.targets(release):
            lines.append(f"{INDENT}{alias.label}: {share}")
            for endpoint, _ in lineage.targets(alias):
                lines.append(f"{INDENT * 2}{_joined(endpoint.label, *short_details(endpoint))}")
    return lines


def _more(count: int, what: str) -> list[str]:
    return [f"… and {count - MOST} more {what}: --format json"] if count > MOST else []


def _joined(*parts: str) -> str:
    return "  ".join(filter(None, parts))
