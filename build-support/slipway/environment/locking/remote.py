"""Read parts of a wheel: of one on an index, only these parts are downloaded."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator

from slipway.environment.locking.resolver import DistributionFile

TIMEOUT = 20  # seconds without a byte


@contextlib.contextmanager
def open_wheel(file: DistributionFile) -> Iterator[zipfile.ZipFile]:
    """Open a wheel to read its members. Credentials come from ``~/.netrc``.

    Raises:
        OSError: it is not reached, is no zip archive, or its index sends no parts of files.
    """
    from remotezip import RemoteZip, RemoteZipError  # imports requests: only while locking

    try:
        if file.path:
            with zipfile.ZipFile(file.path) as wheel:
                yield wheel
        else:
            with RemoteZip(file.url, timeout=TIMEOUT) as remote:
                yield remote
    except (zipfile.BadZipFile, RemoteZipError) as error:
        raise OSError(f"{file.name} cannot be read: {error}") from error


def size_of(file: DistributionFile, wheel: zipfile.ZipFile) -> int:
    """Return the bytes of an opened wheel."""
    from remotezip import RemoteZip

    if file.path:
        return file.path.stat().st_size
    return file.size or (wheel.size() if isinstance(wheel, RemoteZip) else 0)
