"""List and open the capture files of a location."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol

from slipway.capture.location import CaptureLocation
from slipway.capture.storage.names import SUFFIX, hour_folder, parse_key
from slipway.capture.storage.sink import SPOOL, connect
from slipway.capture.storage.spool import JOURNAL
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOT_ENDPOINTS = (".", "_")  # with which the names of other folders begin
SUFFIXES = (SUFFIX, f"{SUFFIX}.gz")


@dataclass(frozen=True)
class Found:
    """A capture file: its ``key`` below the location, and its size in bytes."""

    key: str
    size: int
    open: Callable[[], IO[bytes]]
    file: BinaryIO | None = None  # of an open journal

    @property
    def id(self) -> str:
        """Return the id of the journal that it was made of; empty if Slipway did not write it."""
        if self.file is not None:
            return self.key.rpartition("/")[2][: -len(JOURNAL)]
        file = parse_key(self.key)
        return file.id if file else ""

    @property
    def endpoint(self) -> str:
        """Return the endpoint, by the folder."""
        parts = self.key.split("/")
        return parts[0] if len(parts) > 2 and self.file is None else ""

    @property
    def variant(self) -> str:
        """Return the variant, by the folder."""
        parts = self.key.split("/")
        return parts[1] if len(parts) > 2 and self.file is None else ""

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, with their ends."""
        if self.file is not None:
            self.file.seek(0)
            yield from self.file
            return
        with self.open() as file:
            if not self.key.endswith(".gz"):
                yield from file
                return
            with gzip.open(file) as unpacked:
                yield from unpacked

    def close(self) -> None:
        """Close an open journal."""
        if self.file is not None:
            self.file.close()


class CaptureFiles(Protocol):
    """The files of one location."""

    def open_journals(self) -> Sequence[Found]:
        """Open what writers on this machine have not made complete files of."""
        ...

    def hour_folders(self, hour: datetime, endpoint: str | None) -> Sequence[str]:
        """Return the folders that may hold files of ``hour``, which end in a slash."""
        ...

    def matching(self, folder: str, prefixes: Sequence[str]) -> Iterator[Found]:
        """Yield the files of a folder whose names begin with one of ``prefixes``, sorted."""
        ...

    def all(self) -> Iterator[Found]:
        """Yield every file, of any kind."""
        ...

    def remove(self, key: str) -> None:
        """Remove a file."""
        ...


class FolderFiles:
    """The files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open_journals(self) -> Sequence[Found]:
        """See :class:`CaptureFiles`."""
        journals = []
        for path in sorted(self._folder.glob(f"{SPOOL}/*/*{JOURNAL}")):
            with contextlib.suppress(OSError):  # it has just become complete files
                file = path.open("rb")
                key = path.relative_to(self._folder).as_posix()
                journals.append(Found(key, path.stat().st_size, _opener(path), file))
        return journals

    def hour_folders(self, hour: datetime, endpoint: str | None) -> Sequence[str]:
        """See :class:`CaptureFiles`."""
        endpoints = [endpoint] if endpoint is not None else _folders(self._folder)
        return [
            f"{name}/{variant}/{hour_folder(hour)}/"
            for name in endpoints
            for variant in _folders(self._folder / name)
        ]

    def matching(self, folder: str, prefixes: Sequence[str]) -> Iterator[Found]:
        """See :class:`CaptureFiles`."""
        path = self._folder / folder
        for file in sorted(path.iterdir()) if path.is_dir() else ():
            if file.name.endswith(SUFFIXES) and file.name.startswith(tuple(prefixes)):
                yield self._found(file)

    def all(self) -> Iterator[Found]:
        """See :class:`CaptureFiles`."""
        for file in sorted(self._folder.rglob("*.json*")):
            if not file.relative_to(self._folder).as_posix().startswith("."):
                yield self._found(file)

    def remove(self, key: str) -> None:
        """See :class:`CaptureFiles`."""
        (self._folder / key).unlink(missing_ok=True)

    def _found(self, file: Path) -> Found:
        return Found(file.relative_to(self._folder).as_posix(), file.stat().st_size, _opener(file))


class S3Files:
    """The objects of a bucket below a prefix."""

    def __init__(self, location: CaptureLocation) -> None:
        assert location.bucket is not None
        self._location, self._bucket = location, location.bucket
        self._client: S3Client = connect(location)
        self._variants: dict[str | None, list[str]] = {}

    def open_journals(self) -> Sequence[Found]:
        """See :class:`CaptureFiles`: other machines' cannot be seen."""
        return ()

    def hour_folders(self, hour: datetime, endpoint: str | None) -> Sequence[str]:
        """See :class:`CaptureFiles`."""
        if endpoint not in self._variants:
            endpoints = [f"{endpoint}/"] if endpoint is not None else self._folders("")
            self._variants[endpoint] = [v for name in endpoints for v in self._folders(name)]
        return [f"{variant}{hour_folder(hour)}/" for variant in self._variants[endpoint]]

    def matching(self, folder: str, prefixes: Sequence[str]) -> Iterator[Found]:
        """See :class:`CaptureFiles`: one listing for each prefix."""
        for prefix in prefixes:
            for found in self._objects(folder + prefix):
                if found.key.endswith(SUFFIXES):
                    yield found

    def all(self) -> Iterator[Found]:
        """See :class:`CaptureFiles`."""
        yield from self._objects("")

    def remove(self, key: str) -> None:
        """See :class:`CaptureFiles`."""
        with self._errors(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._location.prefix + key)

    def _objects(self, prefix: str) -> Iterator[Found]:
        with self._errors(prefix):
            for page in self._pages(prefix):
                for item in page.get("Contents", ()):
                    key = item["Key"][len(self._location.prefix) :]
                    yield Found(key, item["Size"], self._opener(item["Key"]))

    def _folders(self, prefix: str) -> list[str]:
        """Return the folders below ``prefix``, which end in a slash."""
        with self._errors(prefix):
            found = [
                item["Prefix"][len(self._location.prefix) :]
                for page in self._pages(prefix, Delimiter="/")
                for item in page.get("CommonPrefixes", ())
            ]
        return [folder for folder in found if not folder.startswith(NOT_ENDPOINTS)]

    def _pages(self, prefix: str, **options: Any) -> Any:
        paginator = self._client.get_paginator("list_objects_v2")
        return paginator.paginate(
            Bucket=self._bucket, Prefix=self._location.prefix + prefix, **options
        )

    def _opener(self, key: str) -> Callable[[], IO[bytes]]:
        def opened() -> IO[bytes]:
            from io import BytesIO

            from slipway.store.interface import S3Location
            from slipway.store.s3.reader import get_object

            with self._errors(key):
                result = get_object(S3Location(self._client, self._bucket, key))
            return BytesIO(b"" if result is None else result[0])

        return opened

    def _errors(self, key: str) -> contextlib.AbstractContextManager[None]:
        from slipway.store.s3.errors import translate_errors

        return translate_errors(self._bucket, f"{self._location}{key}")


def open_files(location: CaptureLocation) -> CaptureFiles:
    """Return the files of a location.

    Raises:
        SlipwayError: boto3's configuration is wrong.
    """
    if location.bucket:
        return S3Files(location)
    assert location.folder is not None
    return FolderFiles(location.folder)


def _folders(path: Path) -> list[str]:
    try:
        names = [entry.name for entry in path.iterdir() if entry.is_dir()]
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith(NOT_ENDPOINTS))


def _opener(file: Path) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        try:
            return file.open("rb")
        except OSError as error:
            raise SlipwayError(
                f"not readable: {error.strerror}",
                where=str(file),
                fix="let your user read the captures",
            ) from error

    return opened
