"""What a scikit-learn file tells before anything of it is loaded: its kind, version, estimators."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.sklearn.reading.streams import (
    TooLarge,
    Truncated,
    compression,
    is_pickle,
    pieces,
)

SCHEMA = "schema.json"
OVERLAP = 256  # bytes of a piece that are looked at again with the next one
# BINUNICODE has four bytes of length, SHORT_BINUNICODE one; the key may be put in the memo first
VERSION = re.compile(
    rb"_sklearn_version(?:q.|r....|\x94)?(?:X(.)\x00\x00\x00|\x8c(.))(\d+\.[\d.a-z]+)", re.DOTALL
)
GLOBAL = re.compile(rb"c(sklearn[\w.]*)\n(\w+)\n")
STACK_GLOBAL = re.compile(
    rb"\x8c.(sklearn[\w.]*)(?:\x94|q.)?\x8c.(\w+?)(?:\x94|q.)?\x93", re.DOTALL
)
PRINTABLE = re.compile(rb"(?:sklearn|lightgbm|xgboost)\.[\w.]+")


@dataclass(frozen=True)
class FileFacts:
    """``kind`` is "skops" or "pickle"; ``version`` that of scikit-learn, "" if it names none."""

    kind: str
    packing: str
    version: str
    estimator: str
    modules: tuple[str, ...]


def read_facts(contents: Contents) -> FileFacts | None:
    """Return what the file tells; ``None`` if it is not of scikit-learn.

    Raises:
        SlipwayError: it is, but truncated, or unpacks to more than four GiB.
    """
    if SCHEMA in contents.names:
        return _skops(contents)
    if contents.names or not is_pickle(contents.head):
        return None
    return _pickle(contents)


def _skops(contents: Contents) -> FileFacts | None:
    try:
        schema = json.loads(contents.member(SCHEMA, limit=256 << 20))
    except ValueError:
        return None
    if not isinstance(schema, dict) or "_skops_version" not in schema:
        return None
    modules = {str(node.get("__module__")) for node in _nodes(schema)}
    if not any(name.split(".")[0] == "sklearn" for name in modules):
        return None
    version = next((_version(node) for node in _nodes(schema) if _version(node)), "")
    packages = tuple(sorted({name.split(".")[0] for name in modules}))
    return FileFacts("skops", "", version, str(schema.get("__class__", "")), packages)


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every node of skops' schema; without recursion, as files may nest deeply."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            if "__class__" in current:
                yield current
            waiting.extend(current.values())
        elif isinstance(current, list):
            waiting.extend(current)


def _version(node: dict[str, Any]) -> str:
    content = node.get("content")
    held = content.get("_sklearn_version") if isinstance(content, dict) else None
    return str(held.get("content", "")).strip('"') if isinstance(held, dict) else ""


def _named_version(text: bytes) -> str:
    found = VERSION.search(text)
    return found[3][: (found[1] or found[2])[0]].decode() if found else ""


def _pickle(contents: Contents) -> FileFacts | None:
    version, estimator, packages = "", "", set[str]()
    kept, last = b"", b""
    try:
        for piece in pieces(contents.path):
            text = kept + piece
            last = text[-1:]
            version = version or _named_version(text)
            named = (GLOBAL.search(text) or STACK_GLOBAL.search(text)) if not estimator else None
            estimator = named[2].decode() if named else estimator
            packages.update(m[0].split(b".")[0].decode() for m in PRINTABLE.finditer(text))
            kept = text[-OVERLAP:]
    except Truncated:
        if "sklearn" not in packages:
            return None
        last = b""
    except TooLarge as error:
        raise SlipwayError(
            "a pickle that unpacks to more than 4 GiB",
            where=str(contents.path),
            fix="save the model with skops.io.dump",
        ) from error
    if not packages & {"sklearn", "lightgbm", "xgboost"}:
        return None
    if last != b".":
        raise SlipwayError(
            "a scikit-learn pickle that ends before its end: it is truncated",
            where=str(contents.path),
            fix="copy the whole file again, or save the model again",
        )
    return FileFacts(
        "pickle", compression(contents.head), version, estimator, tuple(sorted(packages))
    )
