"""A clone to prepare a merge request in. The checkout that it comes from stays as it is, whatever
happens to the push."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.pipeline.handover.push_remote import PushRemote
from slipway.process import run

STEP = "cloning the repository"


@contextmanager
def clone_of_checkout(root: Path) -> Iterator[Path]:
    """Yield a clone of the commit checked out in ``root``, with its DVC cache and remotes.

    Raises:
        SlipwayError: ``root`` is not the top of a git checkout.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-proposal-") as folder:
        clone = Path(folder) / root.resolve().name
        words = ["git", "clone", "--quiet", "--shared", "--no-checkout", str(root), str(clone)]
        run(words, what=STEP)
        git = ["git", "-C", str(clone)]
        run([*git, "checkout", "--quiet", "--detach", _head(root)], what=STEP)
        origin = _origin(root)
        if origin is not None:
            run([*git, "remote", "set-url", "origin", origin], what=STEP)
        _share_dvc(root, clone)
        yield clone


@contextmanager
def clone_of_remote(remote: PushRemote, commit: str) -> Iterator[Path]:
    """Yield a clone of ``commit`` alone from ``remote``.

    Raises:
        SlipwayError: the remote cannot be reached, or has no such commit.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-proposal-") as folder:
        clone = Path(folder) / "repository"
        run(["git", "init", "--quiet", str(clone)], what=STEP)
        git = ["-C", str(clone)]
        remote.git([*git, "remote", "add", "origin", remote.url], what=STEP)
        remote.git(
            [*git, "fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit],
            what=STEP,
            fix="push the commit that was trained; check SLIPWAY_REPOSITORY and the push token",
        )
        remote.git([*git, "checkout", "--quiet", "--detach", commit], what=STEP)
        yield clone


def committed_remotes(root: Path) -> list[str]:
    """Return the folders of DVC's remotes that are inside the repository and not ignored by git:
    what is pushed to them has to be committed."""
    if not (root / ".dvc").is_dir():
        return []
    from dvc.config import Config

    folders = [
        os.path.relpath(url, root)
        for url in _local_urls(Config(str(root / ".dvc")).read("repo"))
        if Path(url).is_relative_to(root)
    ]
    return [folder for folder in folders if not _is_ignored(root, folder)]


def _head(root: Path) -> str:
    return run(["git", "-C", str(root), "rev-parse", "HEAD"], what=STEP).stdout.strip()


def _origin(root: Path) -> str | None:
    """Return the address of ``origin``; a relative path is one from ``root``."""
    try:
        url = run(["git", "-C", str(root), "remote", "get-url", "origin"], what=STEP).stdout.strip()
    except SlipwayError:
        return None
    return str((root / url).resolve()) if "://" not in url and (root / url).exists() else url


def _share_dvc(root: Path, clone: Path) -> None:
    """Let the clone use the cache and the remotes of the checkout at ``root``."""
    if not (root / ".dvc").is_dir():
        return
    from dvc.config import Config
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        cache = repo.cache.local_cache_dir
    theirs = Config(str(root / ".dvc"))
    committed = {str(root / folder) for folder in committed_remotes(root)}
    with Config(str(clone / ".dvc"), validate=False).edit("local") as own:
        own.update(theirs.read("local"))
        own.setdefault("cache", {})["dir"] = cache
        for name, remote in theirs.read("repo").get("remote", {}).items():
            url = str(remote.get("url", ""))
            if os.path.isabs(url) and url not in committed:
                own.setdefault("remote", {}).setdefault(name, {}).setdefault("url", url)
    # the clone's own index of links would tell DVC about files of the checkout
    shutil.rmtree(clone / ".dvc" / "tmp", ignore_errors=True)


def _local_urls(config: Any) -> list[str]:
    urls = [str(remote.get("url", "")) for remote in config.get("remote", {}).values()]
    return [url for url in urls if os.path.isabs(url)]


def _is_ignored(root: Path, folder: str) -> bool:
    try:
        run(["git", "-C", str(root), "check-ignore", "--quiet", folder], what=STEP)
    except SlipwayError:
        return False
    return True
