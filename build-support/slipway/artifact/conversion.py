"""Describe the conversion in a manifest for people: what it was made of, how, and how close."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def describe_conversion(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names and texts of what ``conversion.json`` says."""
    source, rows = record["source"], record["rows"]
    yield "original", f"{source['name']}, {source['size']:,} bytes, {record['about']}"
    yield "original sha256", str(source["sha256"])
    yield "converted for", str(record["backend"])
    yield "difference", _difference(record["difference"], rows)
    yield "tolerance", f"{record['tolerance']:g}"
    yield "conversion lock", str(record["lock"])
    for name, version in sorted(record["versions"].items()):
        yield f"converted with {name}", str(version)
    for name, value in sorted(record["options"].items()):
        if value not in (None, {}):
            yield f"option {name}", value if isinstance(value, str) else json.dumps(value)
    for number, text in enumerate((*record["repairs"], *record["notes"]), 1):
        yield f"note {number}", text


def _difference(difference: float | None, rows: Mapping[str, Any]) -> str:
    of = f"{rows['count']} {'drawn' if rows['drawn'] else 'given'} rows"
    return f"{difference:.2g} on {of}" if difference is not None else f"not compared, {of}"
