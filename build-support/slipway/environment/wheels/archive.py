"""Fetch a source distribution, and extract it."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path

from slipway.environment.locking.resolver import DistributionFile
from slipway.errors import SlipwayError
from slipway.files import CHUNK, HashingWriter

TIMEOUT = 60  # seconds without a byte


def fetch_source(file: DistributionFile, folder: Path, *, where: Path) -> Path:
    """Download a source distribution into ``folder`` and return the folder of its project.

    Credentials come from ``~/.netrc``, certificates from ``REQUESTS_CA_BUNDLE``.

    Raises:
        SlipwayError: it cannot be reached, is not the file that the index hashes, or no archive of
            one folder.
    """
    archive = folder / file.name
    with archive.open("wb") as out:
        writer = HashingWriter(out)
        if file.path:
            with file.path.open("rb") as source:
                shutil.copyfileobj(source, writer)
        else:
            _download(file, writer, where)
    if writer.sha256 != file.sha256:
        raise SlipwayError(
            f"{file.name} is not the file that the index hashes: it has sha256 {writer.sha256}",
            where=str(where),
            fix="try again, and find out what is between this machine and the index",
        )
    return _extract(archive, folder / "extracted", where)


def _download(file: DistributionFile, writer: HashingWriter, where: Path) -> None:
    import requests

    try:
        with requests.get(file.url, stream=True, timeout=TIMEOUT) as response:
            response.raise_for_status()
            for chunk in response.iter_content(CHUNK):
                writer.write(chunk)
    except requests.RequestException as error:
        raise SlipwayError(
            f"{file.name} cannot be downloaded: {error}",
            where=str(where),
            fix="reach the index, and put credentials for it into ~/.netrc",
        ) from error


def _extract(archive: Path, folder: Path, where: Path) -> Path:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as members:
                members.extractall(folder)
        else:
            with tarfile.open(archive) as members:
                members.extractall(folder, filter="data")
        (project,) = (path for path in folder.iterdir() if path.is_dir())
    except (ValueError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise SlipwayError(
            f"{archive.name} is not a source distribution: {error}",
            where=str(where),
            fix="choose another version of the package",
        ) from error
    return project
