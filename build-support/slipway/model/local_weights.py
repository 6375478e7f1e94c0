"""Compare the weights that lie next to a DVC pointer with those that it names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.model.pointer import DIRECTORY, Pointer

HASHED = 64 << 20  # bytes that are hashed in a tenth of a second; for more, DVC's state is asked


def differs(pointer: Pointer, path: Path, root: Path) -> bool:
    """Return whether there is something at ``path`` that is not the weights of ``pointer``.

    DVC's state in the repository ``root`` remembers earlier digests of large files. Where ``root``
    is not a DVC repository, folders are not compared.
    """
    if not path.exists():
        return False
    is_directory = pointer.md5.endswith(DIRECTORY)
    if path.is_dir() != is_directory:
        return True
    if not is_directory:
        size = path.stat().st_size
        if pointer.size is not None and size != pointer.size:
            return True
        if size <= HASHED or not (root / ".dvc").is_dir():
            return _md5(path) != pointer.md5
    elif not (root / ".dvc").is_dir():
        return False
    return _dvc_digest(path.absolute(), root) != pointer.md5


def reject_different(pointer: Pointer, path: Path, root: Path) -> None:
    """Refuse weights at ``path`` that are not those of ``pointer``.

    Raises:
        SlipwayError: they differ; names the commands that keep either.
    """
    if differs(pointer, path, root):
        raise SlipwayError(
            f"these are not the weights that {pointer.file.name} points to",
            where=str(path),
            fix=difference_fix(pointer),
        )


def difference_fix(pointer: Pointer) -> str:
    """Return how to release the local weights, or to return to those of the pointer."""
    return (
        f"slipway weights add {pointer.path} releases them;"
        f" slipway weights pull --force {pointer.file} replaces them with the pointer's"
    )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _dvc_digest(path: Path, root: Path) -> str | None:
    """Return the md5 as DVC computes it for a file or folder."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc_data.hashfile.build import build

    try:
        with Repo(str(root)) as repo:
            cache: Any = repo.cache.local
            _, _, built = build(
                cache,
                str(path),
                cache.fs,
                "md5",
                dry_run=True,
                ignore=repo.dvcignore if path.is_relative_to(root.absolute()) else None,
            )
            return str(built.hash_info.value)
    except (DvcException, OSError) as error:
        raise SlipwayError(
            f"DVC cannot hash it: {error}", where=str(path), fix="dvc status shows its state"
        ) from error
