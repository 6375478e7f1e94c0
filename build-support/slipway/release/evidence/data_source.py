"""Find where the data of a training came from: DVC's pointers in the checkout, or git."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import yaml

from slipway.errors import SlipwayError
from slipway.process import run
from slipway.training.run import DataFile

POINTER = ".dvc"
# how much a pointer may hold; DVC writes a few hundred bytes
LARGEST = 1 << 20
VERSION = re.compile(r"[\x21-\x7e]{1,200}")


def find_sources(root: Path, files: Iterable[DataFile]) -> dict[str, dict[str, str]]:
    """Return what the checkout ``root`` knows of the origin of ``files``, by path.

    Each has ``kept``: the DVC pointer, or ``git``. Of an import there are also ``from`` (the URL or
    the repository and path), and ``version`` (a commit, S3's version id, or an ETag), as DVC
    recorded them. A pointer of other bytes says nothing. User names, passwords and signatures of a
    URL are left out.
    """
    sources: dict[str, dict[str, str]] = {}
    unknown: list[str] = []
    for file in files:
        found = _from_pointers(root, file)
        if found:
            sources[file.path] = found
        else:
            unknown.append(file.path)
    for path in _tracked(root, unknown):
        sources[path] = {"kept": "git"}
    return sources


def _from_pointers(root: Path, file: DataFile) -> dict[str, str]:
    """Return what a pointer to the file, or to a folder that holds it, says."""
    path = PurePosixPath(file.path)
    for candidate in (path, *path.parents[:-1]):
        name = f"{candidate}{POINTER}"
        values = _load(root / name)
        outs = values.get("outs")
        if not (isinstance(outs, list) and len(outs) == 1 and isinstance(outs[0], dict)):
            continue
        if candidate == path and f"md5:{outs[0].get('md5')}" != file.hash:
            continue  # of other bytes
        return {"kept": name, **_imported(values)}
    return {}


def _load(pointer: Path) -> Mapping[str, Any]:
    try:
        if pointer.stat().st_size > LARGEST:
            return {}
        values = yaml.safe_load(pointer.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return values if isinstance(values, dict) else {}


def _imported(values: Mapping[str, Any]) -> dict[str, str]:
    """Return where ``dvc import`` or ``dvc import-url`` took the data from."""
    deps = values.get("deps")
    if not (isinstance(deps, list) and len(deps) == 1 and isinstance(deps[0], dict)):
        return {}
    (dep,) = deps
    path = str(dep.get("path") or "")
    repository = dep.get("repo")
    if isinstance(repository, dict):
        imported = {"from": f"{without_secrets(str(repository.get('url') or ''))} {path}".strip()}
        version = repository.get("rev_lock") or repository.get("rev")
    else:
        imported = {"from": without_secrets(path)}
        version = dep.get("version_id") or dep.get("etag")
    if version and VERSION.fullmatch(str(version)):
        imported["version"] = str(version)
    return imported if imported["from"] else {}


def without_secrets(url: str) -> str:
    """Return ``url`` without a user, a password, a query or a fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if not parts.scheme:
        return url
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _tracked(root: Path, paths: list[str]) -> list[str]:
    """Return those of ``paths`` that git tracks; none outside of a checkout."""
    if not paths:
        return []
    git = ["git", "--literal-pathspecs", "-C", str(root), "ls-files", "-z", "--"]
    try:
        listed = run([*git, *paths], what="asking git for the data").stdout
    except SlipwayError:
        return []
    return sorted({*paths} & {*listed.split("\0")})
