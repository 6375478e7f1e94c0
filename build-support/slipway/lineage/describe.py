"""Describe a node of a lineage in short lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.lineage.graph import Node
from slipway.units import format_bytes, format_minute

DIGITS = 12  # of a digest, enough to find it


def short_details(node: Node) -> list[str]:
    """Return what is most worth knowing about ``node``, a line each, without its label."""
    details = node.details
    lines = _LINES.get(node.kind, lambda _: [])(details)
    return [line for line in lines if line]


def short_digest(details: Mapping[str, Any]) -> str:
    """Return the digest of a file in short: ``md5 3f2a1b4c5d6e``."""
    for key in ("sha256", "md5"):
        if details.get(key):
            return f"{key} {str(details[key])[:DIGITS]}"
    algorithm, _, value = str(details.get("hash", "")).partition(":")
    return f"{algorithm} {value[:DIGITS]}" if value else ""


def size_of(details: Mapping[str, Any]) -> str:
    """Return a size for people; empty where it is not known."""
    return "" if details.get("size") is None else format_bytes(details["size"])


def number(value: Any) -> str:
    """Return a parameter or a metric for people."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def source_lines(details: Mapping[str, Any]) -> list[str]:
    """Return where data came from, in words; empty where it is not known."""
    source = details.get("source")
    if not isinstance(source, Mapping):
        return []
    if "from" not in source:
        return ["kept in git" if source.get("kept") == "git" else f"kept by {source.get('kept')}"]
    version = [f"version {source['version']}"] if "version" in source else []
    return [f"from {source['from']}", *version, f"by {source['kept']}"]


def _file(details: Mapping[str, Any]) -> list[str]:
    digest = ", ".join(filter(None, (short_digest(details), size_of(details))))
    return [digest, *source_lines(details)]


def _code(details: Mapping[str, Any]) -> list[str]:
    count = len(details.get("files", ()))
    changed = "with uncommitted changes" if details.get("dirty") else ""
    return [changed, f"{count} {'file' if count == 1 else 'files'} of code" if count else ""]


def _run(details: Mapping[str, Any]) -> list[str]:
    if "place" not in details:
        return []
    compared = details.get("compared") or {}
    lines = [f"on {details['place']}"]
    if "started" in details:
        lines.append(f"{format_minute(details['started'])} UTC, {details['seconds']:.0f} s")
    lines += [f"{key} {number(value)}" for key, value in details.get("metrics", {}).items()][:4]
    if compared.get("release"):
        lines.append(f"{compared['verdict']}, compared with {compared['release']}")
    return lines


def _stage(details: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {number(value)}" for key, value in details.get("parameters", {}).items()]


def _origin(details: Mapping[str, Any]) -> list[str]:
    return [
        ", ".join(filter(None, (format_minute(details.get("when", "")), details.get("by", "")))),
        details.get("subject", ""),
        *(f"licence {name}" for name in details.get("licences", ())),
    ]


def _artifact(details: Mapping[str, Any]) -> list[str]:
    commit = f"built from commit {details['commit'][:7]}" if "commit" in details else ""
    return [*_file(details), commit]


def _conversion(details: Mapping[str, Any]) -> list[str]:
    difference = details.get("difference")
    return [] if difference is None else [f"largest difference {difference:.2g}"]


def _release(details: Mapping[str, Any]) -> list[str]:
    by = f" by {details['by']}" if details.get("by") else ""
    pruned = "its artifact was removed" if details.get("pruned") else ""
    return [f"{format_minute(details['published'])} UTC{by}", pruned]


def _endpoint(details: Mapping[str, Any]) -> list[str]:
    region = f" in {details['region']}" if details.get("region") else ""
    return [f"{details['place']}{region}"]


_LINES = {
    "data": _file,
    "code": _code,
    "run": _run,
    "stage": _stage,
    "origin": _origin,
    "original": _file,
    "conversion": _conversion,
    "weights": _file,
    "artifact": _artifact,
    "release": _release,
    "endpoint": _endpoint,
}
