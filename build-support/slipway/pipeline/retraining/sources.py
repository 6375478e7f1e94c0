"""Data that was imported from elsewhere (``dvc import``, ``dvc import-url``): whether its source
has a newer version, and taking it.

DVC compares what its pointer recorded with the source: an ETag or a version of an object in S3, the
commit of another repository, the md5 of a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

META = "slipway"  # the key below `meta` of a pointer, which DVC keeps as it is
GONE = "deleted"


@dataclass(frozen=True)
class ImportedData:
    """The ``pointer`` of imported data, relative to the repository, and its ``source``, without
    secrets."""

    pointer: str
    source: str


def newer_imports(repo: Any, stages: list[Any]) -> list[ImportedData]:
    """Return the imports that the ``stages`` read and whose source has another version than their
    pointer recorded. ``repo`` is DVC's repository.

    Raises:
        SlipwayError: a source is gone, or cannot be asked; names it.
    """
    newer = []
    for stage in stages:
        if not (stage.is_import or stage.is_repo_import):
            continue
        (dep,) = stage.deps
        found = ImportedData(
            Path(stage.path).relative_to(repo.root_dir).as_posix(), without_secrets(str(dep))
        )
        try:
            status = dep.workspace_status()
        except Exception as error:  # each file system has errors of its own
            raise SlipwayError(
                f"its source cannot be asked: {found.source}: {error or type(error).__name__}",
                where=found.pointer,
                fix=f"dvc update {found.pointer}; check the network and your credentials",
            ) from error
        if GONE in status.values():
            raise SlipwayError(
                f"its source is gone: {found.source}",
                where=found.pointer,
                fix="correct the address: dvc import-url --force",
            )
        if status:
            newer.append(found)
    return newer


def update_import(root: Path, pointer: str) -> str:
    """Fetch the newest version of imported data, as ``dvc update`` does; return a line about it.

    Its version and the time of its source are recorded in the pointer, below ``meta``.

    Raises:
        SlipwayError: DVC cannot fetch it.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            repo.update([str(root / pointer)])
            (stage,) = repo.stage.load_file(str(root / pointer))
            facts = _facts(stage.deps[0])
            with repo.lock:
                stage.meta = {**(stage.meta or {}), META: facts}
                stage.dump(update_lock=False)
    except (DvcException, OSError) as error:
        raise SlipwayError(
            f"DVC cannot update it: {error}", where=pointer, fix=f"dvc update {pointer}"
        ) from error
    return ", ".join(f"{key} {value}" for key, value in facts.items())


def _facts(dep: Any) -> dict[str, str]:
    """Return the version and the time of a source, as far as its file system knows them."""
    try:
        info: Mapping[str, Any] = dep.fs.info(dep.fs_path)
    except Exception:  # each file system has errors of its own; the data are there
        info = {}
    version = info.get("VersionId") or info.get("version_id") or info.get("ETag")
    version = version or getattr(dep.meta, "etag", None) or getattr(dep, "hash_info", None)
    modified = info.get("LastModified") or info.get("mtime") or info.get("last_modified")
    if isinstance(modified, int | float):
        modified = datetime.fromtimestamp(modified, UTC)
    if isinstance(modified, datetime):
        modified = modified.astimezone(UTC).isoformat(timespec="seconds")
    facts = {"version": str(version).strip('"') if version else "", "modified": str(modified or "")}
    facts["updated"] = datetime.now(UTC).isoformat(timespec="seconds")
    return {key: value for key, value in facts.items() if value}


def without_secrets(address: str) -> str:
    """Return an address without user, password or query."""
    from urllib.parse import urlsplit, urlunsplit

    if "://" not in address:
        return address
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
