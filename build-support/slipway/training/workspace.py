"""A copy of the checkout in which a training runs, so that a failed one leaves nothing behind.

The copy has the checkout's files as they are, committed or not, but no ignored ones: data and
outputs come from DVC's cache, which both share. Results are copied back when all stages are
through.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.files import cache_dir, cache_root, sha256_of
from slipway.process import run

KIND = "training-runs"  # of the cache
LOCAL_CONFIG = ".dvc/config.local"


@dataclass(frozen=True)
class Workspace:
    """The copy in ``root``, and the SHA-256 of each file that was copied, by its path."""

    root: Path
    copied: Mapping[str, str]

    @classmethod
    def of(cls, root: Path) -> Workspace:
        """Return the checkout ``root`` itself, such as one that was made for one training."""
        return cls(root, {path: digest(root / path) for path in _walk(root)})

    def changes(self) -> dict[str, str]:
        """Return the files that differ from what was copied: ``changed``, ``new`` or ``removed``.

        Those of DVC and of Python's caches do not count.
        """
        now: dict[str, str] = {}
        for path in _walk(self.root):
            if path not in self.copied:
                now[path] = "new"
            elif digest(self.root / path) != self.copied[path]:
                now[path] = "changed"
        removed = (path for path in self.copied if not os.path.lexists(self.root / path))
        return now | {path: "removed" for path in removed if not path.startswith(".dvc/")}


@contextlib.contextmanager
def one_run_at_a_time(root: Path, model: str) -> Iterator[Path]:
    """Hold the lock of the trainings of ``model``; yield a folder for their files, which is empty
    and removed at the end.

    Raises:
        SlipwayError: another process of this machine trains the model.
    """
    from filelock import FileLock, Timeout

    name = f"{model}-{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]}"
    folder = cache_dir(KIND) / name
    lock = FileLock(folder.with_name(f"{name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise SlipwayError(
            f"{model} is being trained already",
            where=str(lock.lock_file),
            fix="wait until that training has ended, or stop it",
        ) from error
    try:
        # of a training that was killed
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


@contextlib.contextmanager
def checkout_lock(root: Path) -> Iterator[None]:
    """Hold the checkout while results are copied into it: several models train at once."""
    from slipway.files import locked

    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    with locked(cache_root() / KIND / f"checkout-{name}.lock"):
        yield


def copy_checkout(root: Path, target: Path, needed: Callable[[str], bool]) -> Workspace:
    """Copy the files of the checkout ``root`` that git does not ignore to ``target``: those that
    are ``needed``, by their path from ``root``.

    Raises:
        SlipwayError: ``root`` is not in a git repository.
    """
    listed = run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        what="listing the checkout's files",
        fix="train in a git repository: git init",
    ).stdout
    copied: dict[str, str] = {}
    for path in sorted({path for path in listed.split("\0") if path and needed(path)}):
        source, copy = root / path, target / path
        with contextlib.suppress(FileNotFoundError):  # deleted, but not yet in git
            mode = source.lstat().st_mode
            if stat.S_ISDIR(mode):
                continue  # a submodule
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)
            copied[path] = digest(copy)
    _configure_dvc(root, target)
    return Workspace(target, copied)


def configure_container(work: Path) -> None:
    """Let DVC work in ``work``, an unpacked archive of code: without git.

    Raises:
        SlipwayError: its default remote is a folder that is not on this machine.
    """
    from dvc.config import Config
    from dvc.repo import Repo

    with Config(str(work / ".dvc"), validate=False).edit("local") as values:
        values.setdefault("core", {})["no_scm"] = True
    with Repo(str(work)) as repo:
        name = repo.config["core"].get("remote")
        url = repo.config["remote"].get(name, {}).get("url", "") if name else ""
    if name is None or (Path(url).is_absolute() and not Path(url).is_dir()):
        what = f"DVC's remote {name!r}, {url}, is a folder" if name else "DVC has no default remote"
        raise SlipwayError(
            f"{what}: no job can read data from it, or leave outputs",
            where=".dvc/config",
            fix="dvc remote add --default NAME s3://BUCKET/PREFIX, and dvc push",
        )


def _configure_dvc(root: Path, target: Path) -> None:
    """Let the copy's DVC work without git, on the checkout's cache and remotes."""
    from dvc.config import Config
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        cache = repo.cache.local.path
        config = repo.config
        local = root / LOCAL_CONFIG
        if local.is_file():
            shutil.copy2(local, target / LOCAL_CONFIG)
        with Config(str(target / ".dvc"), validate=False).edit("local") as values:
            values.setdefault("core", {})["no_scm"] = True
            # DVC appends files/md5 to it
            values.setdefault("cache", {})["dir"] = str(Path(cache).parents[1])
            for name, remote in config["remote"].items():
                if Path(remote.get("url", "")).is_absolute():
                    values.setdefault("remote", {}).setdefault(name, {})["url"] = remote["url"]


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        relative = Path(folder).relative_to(root)
        skipped = {"__pycache__", *((".dvc", ".git") if not relative.parts else ())}
        folders[:] = [name for name in folders if name not in skipped]
        for name in (*files, *(name for name in folders if (Path(folder) / name).is_symlink())):
            yield (relative / name).as_posix()


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hex, or what says that it is a link and to what."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"link:{os.readlink(path)}"
    return sha256_of(path) if stat.S_ISREG(mode) else "special"
