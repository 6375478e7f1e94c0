"""Fetch and verify the weights of a DVC pointer, through DVC's own configuration."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from slipway.errors import SlipwayError
from slipway.files import (
    CHUNK,
    HashingReader,
    ReadableStream,
    atomic_write,
    digest_of_stream,
    locked,
)
from slipway.model.pointer import DIRECTORY, Pointer, load_pointer, place_of

INDEX_LOCK = "slipway-index.lock"  # in DVC's folder for temporary files


@contextmanager
def index_lock(repo: Any) -> Iterator[None]:
    """Hold DVC's index against other processes, while one of its remotes is opened.

    Opening a remote opens the index, an SQLite file. SQLite does not wait for a process that
    creates it (sqltrie, ``journal_mode = WAL``): "database is locked".
    """
    with locked(Path(repo.tmp_dir) / INDEX_LOCK):
        yield


class Weights:
    """The weights of the DVC repository at ``root``: its cache first, else its remotes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def cached(self, pointer: Pointer) -> dict[str, Path]:
        """Return verified files in DVC's cache, by path below the output (``""`` for a single
        file).

        Files that the cache lacks are fetched. DVC's state remembers earlier digests, so that an
        unchanged file is not hashed again.

        Raises:
            SlipwayError: see :meth:`pull`.
        """
        return {name: self._verify(pointer, md5) for name, md5 in self._parts(pointer)}

    def pull(self, pointer: Pointer, output: Path) -> None:
        """Write a verified copy of the weights to ``output``.

        Raises:
            SlipwayError: the object is missing, has another md5, the remote cannot be reached, or
                DVC's configuration is wrong; names the model and the pointer.
        """
        with atomic_write(output) as temporary:
            for name, md5 in self._parts(pointer):
                target = temporary / name if name else temporary
                target.parent.mkdir(parents=True, exist_ok=True)
                cached = Path(self.cache.oid_to_path(md5))
                if not (cached.exists() and _copy(cached, target) == md5):
                    shutil.copyfile(self._fetch(pointer, md5), target)

    def add(self, file: Path) -> Pointer:
        """Put ``file``, or a directory, under DVC, as ``dvc add`` does, with the pointer next to
        it.

        Raises:
            SlipwayError: DVC refuses it, because git tracks it or ``.dvcignore`` names it.
        """
        return self.add_all([file])[0]

    def add_all(self, files: Sequence[Path]) -> list[Pointer]:
        """Put several files or directories under DVC at once: it reads the repository only once.

        Raises:
            SlipwayError: as :meth:`add`.
        """
        if not files:
            return []
        from dvc.exceptions import DvcException

        try:
            # do not stage it or print how to: the caller may still move the files
            self.repo.scm_context.quiet = True
            self.repo.scm_context.autostage = False
            self.repo.add([str(file) for file in files])
        except (DvcException, OSError) as error:
            named = ", ".join(map(str, files))
            raise SlipwayError(
                f"DVC refused to add it: {error}",
                where=named,
                fix=f"if git tracks it: git rm --cached {' '.join(map(str, files))}",
            ) from error
        return [load_pointer(file.with_name(file.name + ".dvc")) for file in files]

    def remotes(self) -> Iterator[tuple[str, str, bool]]:
        """Yield the name, URL and reachability of each remote in DVC's configuration.

        Raises:
            SlipwayError: DVC cannot start here, or no remote is configured.
        """
        names = list(self.repo.config["remote"])
        if not names:
            raise SlipwayError("no remote is configured", fix="dvc remote add -d NAME URL")
        for name in names:
            with index_lock(self.repo):
                remote = self.repo.cloud.get_remote(name=name)
            try:
                reachable = _exists(remote) and remote.fs.exists(remote.path) is not None
            except Exception:  # each remote's file system has errors of its own
                reachable = False
            yield name, str(remote.path), reachable

    def _parts(self, pointer: Pointer) -> Iterator[tuple[str, str]]:
        """Yield the path below the output and the md5 of each file of the weights."""
        if not pointer.md5.endswith(DIRECTORY):
            yield "", pointer.md5
            return
        for entry in json.loads(self._verify(pointer, pointer.md5).read_bytes()):
            relative = Path(entry["relpath"])
            if relative.is_absolute() or ".." in relative.parts:
                raise SlipwayError(
                    f"its list names {entry['relpath']!r}, outside of it",
                    where=place_of(pointer.file),
                    fix=f"dvc add {pointer.path}",
                )
            yield relative.as_posix(), entry["md5"]

    def _verify(self, pointer: Pointer, md5: str) -> Path:
        path = Path(self.cache.oid_to_path(md5))
        if not path.exists():
            return self._fetch(pointer, md5)
        state = self.repo.state
        _, recorded = state.get(str(path), self.cache.fs)
        if recorded is not None and recorded.value == md5:
            return path
        with path.open("rb") as file:
            actual = digest_of_stream(file, "md5")
        if actual != md5.removesuffix(DIRECTORY):
            return self._fetch(pointer, md5)
        self._remember(path, md5)
        return path

    def _fetch(self, pointer: Pointer, md5: str) -> Path:
        """Download one object from the remote into DVC's cache, and hash it on the way."""
        path = Path(self.cache.oid_to_path(md5))
        remote = self.remote_of(pointer)
        source = remote.odb.oid_to_path(md5)
        try:
            with atomic_write(path) as temporary, temporary.open("wb") as file:
                with remote.odb.fs.open(source, "rb") as stream:
                    actual = _copy_stream(stream, file)
                if actual != md5.removesuffix(DIRECTORY):
                    raise SlipwayError(
                        f"wrong md5: remote {remote.name!r} holds {actual} where {md5} belongs",
                        where=place_of(pointer.file),
                        fix="delete that object, then slipway weights push from where the weights"
                        " were trained",
                    )
        except FileNotFoundError as error:
            if "bucket" in str(error).lower() or not _exists(remote):
                raise unreachable_error(pointer, remote, error) from error
            raise SlipwayError(
                f"missing object: neither the cache nor remote {remote.name!r} holds {md5}",
                where=place_of(pointer.file),
                fix="slipway weights push from where the weights were trained, or correct the"
                " pointer",
            ) from error
        except SlipwayError:
            raise
        except Exception as error:  # each remote's file system has errors of its own
            raise unreachable_error(pointer, remote, error) from error
        path.chmod(0o444)  # as DVC protects the files in its cache
        self._remember(path, md5)
        return path

    def _remember(self, path: Path, md5: str) -> None:
        from dvc_data.hashfile.hash_info import HashInfo

        self.repo.state.save(str(path), self.cache.fs, HashInfo("md5", md5))

    def remote_of(self, pointer: Pointer) -> Any:
        """Return DVC's remote that holds the weights of ``pointer``.

        Raises:
            SlipwayError: none is configured.
        """
        from dvc.exceptions import DvcException

        try:
            with index_lock(self.repo):
                return self.repo.cloud.get_remote(name=pointer.remote)
        except DvcException as error:
            raise SlipwayError(
                f"no remote to fetch from: {error}",
                where=place_of(pointer.file),
                fix="dvc remote add -d NAME URL",
            ) from error

    @property
    def cache(self) -> Any:
        """Return DVC's cache on this machine."""
        return self.repo.cache.local

    @cached_property
    def repo(self) -> Any:
        """Return DVC's repository, opened once.

        Raises:
            SlipwayError: DVC cannot start here.
        """
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        try:
            return Repo(str(self.root))
        except DvcException as error:
            raise SlipwayError(
                f"DVC cannot start here: {error}",
                where=str(self.root),
                fix="dvc init, or dvc doctor",
            ) from error


def _copy(source: Path, target: Path) -> str:
    with source.open("rb") as file, target.open("wb") as out:
        return _copy_stream(file, out)


def _copy_stream(source: ReadableStream, target: BinaryIO) -> str:
    """Copy a stream; return the md5 of its bytes."""
    hashing = HashingReader(source, algorithm="md5")
    shutil.copyfileobj(hashing, target, CHUNK)
    return hashing.drain()


def _exists(remote: Any) -> bool:
    """Return whether a local remote's folder exists; other remotes raise an error of their own."""
    return remote.fs.protocol != "local" or Path(remote.path).exists()


def unreachable_error(pointer: Pointer, remote: Any, error: Exception) -> SlipwayError:
    """Return the error of a remote that a request failed at."""
    reason = str(error) or type(error).__name__
    return SlipwayError(
        f"unreachable remote {remote.name!r} ({remote.path}): {reason}",
        where=place_of(pointer.file),
        fix="dvc remote list; check its url, the network and your credentials",
    )
