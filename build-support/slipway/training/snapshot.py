"""The code of a training, as another machine gets it: an archive of a commit's files.

The archive holds what a training of one model needs and no more: the model's folder, the files that
its stages depend on, packages that models share, DVC's configuration, and the library. Equal files
make equal bytes, whatever the commit, so that it is uploaded once under its digest.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import slipway
from slipway.archive.writer import TarGzWriter
from slipway.errors import SlipwayError
from slipway.files import HashingWriter, atomic_write
from slipway.process import run
from slipway.store.interface import Store

LIBRARY = "build-support/slipway"
ALWAYS = (
    ".dvc/config",
    ".dvcignore",
    "build-support/lockfiles/slipway.txt",
    "dvc.lock",
    "dvc.yaml",
    "params.yaml",
    "slipway.toml",
)
FOLDERS = ("libs", LIBRARY)
PLAIN, PROGRAM = "100644", "100755"  # modes of files in a tree of git
# private keys, AWS's access keys, and GitLab's tokens
SECRET = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bglpat-[\w-]{20}"
)
# keys of DVC's remotes that are secrets (dvc/config_schema.py)
DVC_SECRET = re.compile(
    r"(?m)^\s*(secret_access_key|session_token|access_key_id|password|sas_token|account_key"
    r"|connection_string|client_secret|gdrive_client_secret|token)\s*="
)
SECRET_NAME = re.compile(
    r"(^|/)(\.env(\..+)?|id_(rsa|ed25519|ecdsa)|\.netrc|\.pypirc|credentials)$"
)
SHOWN = 5  # paths that an error lists


@dataclass(frozen=True)
class Snapshot:
    """An archive of code.

    ``path`` is the ``tar.gz``, ``sha256`` its digest. ``commit`` is the one that it was made of;
    ``dirty`` says that it holds changes that are in no commit. ``untracked`` are files next to
    those of the archive that git does not know: they are not in it.
    """

    path: Path
    sha256: str
    size: int
    commit: str
    dirty: bool
    files: int
    untracked: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the key in the store of :func:`slipway.training.bucket.open_bucket`."""
        return f"code/{self.sha256}.tar.gz"


def make_snapshot(
    root: Path,
    model: str,
    into: Path,
    *,
    dependencies: Iterable[str] = (),
    allow_dirty: bool = False,
) -> Snapshot:
    """Write the archive of ``model`` in the repository ``root`` to the file ``into``.

    ``dependencies`` are files and folders that its stages depend on. With
    ``allow_dirty`` files of the commit have the content that they have in the checkout.

    Raises:
        SlipwayError: it is no git repository, files differ from the commit, a file is a secret, or
            a link.
    """
    commit = _git(root, "rev-parse", "HEAD").strip()
    wanted = NeededFiles(model, dependencies)
    changed = [
        path
        for path in _lines(root, "diff", "--name-only", "--relative", "-z", "HEAD")
        if wanted(path)
    ]
    untracked = [
        path
        for path in _lines(root, "ls-files", "-z", "--others", "--exclude-standard")
        if wanted(path)
    ]
    if (changed or untracked) and not allow_dirty:
        raise SlipwayError(
            f"{_listed([*changed, *untracked])}: not in a commit, so no other machine can have it",
            where=str(root),
            fix="git add and git commit, or --allow-dirty to send changed files as they are",
        )
    tree = {path: mode for path, mode in _tree(root) if wanted(path)}
    if not any(path.startswith(f"models/{model}/") for path in tree):
        raise SlipwayError(
            f"models/{model} is not in the commit {commit[:12]}",
            where=str(root),
            fix=f"git add models/{model} and git commit",
        )
    contents = _contents(root, tree, changed)
    if not any(path.startswith(f"{LIBRARY}/") for path in tree):
        contents.update(_installed_library())
        tree.update(dict.fromkeys(contents.keys() - tree.keys(), PLAIN))
    _refuse_secrets(root, contents)
    with atomic_write(into) as temporary, temporary.open("wb") as file:
        stream = HashingWriter(file)
        with TarGzWriter(stream) as writer:
            for path, data in sorted(contents.items()):
                writer.add_bytes(path, data, 0o755 if tree[path] == PROGRAM else 0o644)
    return Snapshot(
        into,
        stream.sha256,
        stream.size,
        commit,
        bool(changed),
        len(contents),
        tuple(untracked),
    )


def upload_snapshot(snapshot: Snapshot, bucket: Store) -> bool:
    """Upload it under its digest unless ``bucket`` has it; return whether this call did."""
    return bucket.create_file(snapshot.key, snapshot.path, snapshot.sha256)


class NeededFiles:
    """Whether a training of ``model`` needs a path of the repository."""

    def __init__(self, model: str, dependencies: Iterable[str]) -> None:
        listed = tuple(dependencies)
        self._files = {*ALWAYS, *listed}
        self._folders = tuple(f"{name}/" for name in (f"models/{model}", *FOLDERS, *listed))

    def __call__(self, path: str) -> bool:
        parents = PurePosixPath(path).parents
        return path in self._files or path.startswith(self._folders) or self._is_below(parents)

    def _is_below(self, parents: Sequence[PurePosixPath]) -> bool:
        """Return whether a stage depends on one of the folders."""
        return any(str(parent) in self._files for parent in parents)


def _tree(root: Path) -> Iterator[tuple[str, str]]:
    """Yield path and mode of every file of the commit."""
    for line in _lines(root, "ls-tree", "-r", "-z", "HEAD"):
        head, _, path = line.partition("\t")
        yield path, head.split()[0]


def _contents(root: Path, tree: Mapping[str, str], changed: Iterable[str]) -> dict[str, bytes]:
    """Return the content of each file: the commit's, or the checkout's of those that changed."""
    contents = {}
    differing = set(changed)
    for path, mode in tree.items():
        if mode not in (PLAIN, PROGRAM):
            raise SlipwayError(
                "a link, or another repository: an archive of code has files only",
                where=str(root / path),
                fix="replace it by the file itself",
            )
        if path in differing:
            if (root / path).is_file():
                contents[path] = (root / path).read_bytes()
            continue
        contents[path] = b""
    same = [path for path in contents if path not in differing]
    for path, data in zip(same, _blobs(root, same), strict=True):
        contents[path] = data
    return contents


def _blobs(root: Path, paths: list[str]) -> Iterator[bytes]:
    """Yield the commit's content of each path, from one process of git."""
    prefix = _git(root, "rev-parse", "--show-prefix").strip()
    wanted = "".join(f"HEAD:{prefix}{path}\n" for path in paths)
    output = subprocess.run(
        ["git", "-C", str(root), "cat-file", "--batch"],
        input=wanted.encode(),
        capture_output=True,
        check=True,
    ).stdout
    position = 0
    for _ in paths:
        end = output.index(b"\n", position)
        size = int(output[position:end].split()[2])
        yield output[end + 1 : end + 1 + size]
        position = end + 1 + size + 1


def _installed_library() -> dict[str, bytes]:
    """Return the files of the library, for a repository that installs it."""
    folder = Path(slipway.__file__).parent
    return {
        f"{LIBRARY}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _refuse_secrets(root: Path, contents: Mapping[str, bytes]) -> None:
    for path, data in contents.items():
        if path.startswith(f"{LIBRARY}/"):
            continue
        if SECRET_NAME.search(path) or SECRET.search(data):
            raise SlipwayError(
                "it looks like a secret, which no archive of code may hold",
                where=str(root / path),
                fix=f"git rm --cached {path}, and replace the secret: git's history keeps it",
            )
        if path == ".dvc/config" and (key := DVC_SECRET.search(data.decode(errors="replace"))):
            raise SlipwayError(
                f"it holds {key[1]} of a remote",
                where=str(root / path),
                fix=f"dvc remote modify --local NAME {key[1]} …, and remove it from .dvc/config",
            )


def _lines(root: Path, *arguments: str) -> list[str]:
    """Return what git printed, with NUL between the entries."""
    return [entry for entry in _git(root, *arguments).split("\0") if entry]


def _git(root: Path, *arguments: str) -> str:
    return run(
        ["git", "-C", root, *arguments],
        what="asking git for the files of a training",
        fix="train elsewhere from a clone with a commit: git init, git add, git commit",
    ).stdout


def _listed(paths: list[str]) -> str:
    more = f", and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more
