"""Provide the execution environments that an endpoint's image has, for artifacts without one.

The configs of such an artifact name ``/opt/slipway/environments/<digest>``. On this machine, the
extracted copy names a folder of the cache that holds the same files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from slipway.cache import mark_used
from slipway.environment.environment import METADATA, ExecutionEnvironment, load_environment
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked
from slipway.triton import config
from slipway.triton.image.environments import FOLDER, image_path

CACHE = "image-environments"
NAMED = re.compile(re.escape(FOLDER) + r"/([0-9a-f]{64})")


def provide_environments(repository: Path, served: Sequence[str] | None) -> None:
    """Let the configs in ``repository``, an extracted artifact, name the environments' places on
    this machine. ``served`` are the digests of those in the image; ``None`` is any.

    Raises:
        SlipwayError: the image lacks one, or this machine does.
    """
    for path in sorted(repository.glob(f"*/{config.FILE_NAME}")):
        if not path.is_file():
            continue  # a folder, say: what the server answers to it is the error
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        for digest in sorted(set(NAMED.findall(text))):
            folder = find_environment(digest, served)
            text = text.replace(image_path(digest), str(folder))
            path.write_text(text, encoding="utf-8", errors="surrogateescape")


def find_environment(digest: str, served: Sequence[str] | None) -> Path:
    """Return the folder on this machine with the environment ``digest`` of an image.

    Raises:
        SlipwayError: see :func:`provide_environments`.
    """
    if served is not None and digest not in served:
        raise SlipwayError(
            f"the endpoint's image lacks its environment {digest}; it has"
            f" {', '.join(served) or 'none'}",
            fix="give the endpoint an image of slipway image --base-environment that has it, and"
            " name it in slipway.toml: [release.STAGE] base_environments",
        )
    if Path(image_path(digest)).is_dir():  # this is that image
        return Path(image_path(digest))
    folder = cache_dir(CACHE) / digest
    if not folder.is_dir():
        cached = _cached(digest)
        if cached is None:
            raise SlipwayError(
                f"its environment {digest} is in the endpoint's image, and not on this machine",
                fix="slipway endpoint up --base-environment oci:PATH takes it from the image;"
                " slipway environment build models/NAME/requirements.lock builds it",
            )
        # only here: packing, in the same package, imports what builds environments
        from slipway.artifact.extract import extract

        with locked(folder.with_name(f"{digest}.guard")):
            if not folder.is_dir():
                with atomic_write(folder) as aside:
                    extract(cached.archive, aside)
    mark_used(folder)
    return folder


def _cached(digest: str) -> ExecutionEnvironment | None:
    """Return the environment ``digest``, if it was built on this machine."""
    for file in cache_dir("environments").glob(f"*/{METADATA}"):
        try:
            environment = load_environment(file.parent)
        except SlipwayError:
            continue  # of another version
        if environment.sha256 == digest:
            return environment
    return None
