"""Pack the folder of a container's model into an artifact: SageMaker's ``model.tar.gz``.

Its root becomes ``/opt/ml/model``. The first file is the manifest, as in any artifact, and the lock
of the container's packages travels with it: the local endpoint makes their environment from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import slipway
from slipway.archive.writer import TarGzWriter
from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import CONTAINER_FILE, Manifest
from slipway.environment.lock import lock_content, pins
from slipway.errors import SlipwayError
from slipway.files import HashingWriter, atomic_write
from slipway.model.capture_rules import FILE_NAME, load_capture_rules
from slipway.model.container_folder import ContainerFolder, container_files

LOCK = "slipway/requirements.lock"


def pack_container(
    model: ContainerFolder,
    entry: Sequence[str],
    weight_files: Mapping[Path, Path],
    output: Path,
) -> Artifact:
    """Write ``model``'s artifact to ``output``; equal inputs give equal bytes.

    ``weight_files`` maps the path of each file of the weights below the folder to the file with its
    verified bytes.

    Raises:
        SlipwayError: its ``capture.toml`` is invalid, or redacts, which needs tensors.
    """
    contents = {name: file.read_bytes() for name, file in container_files(model).items()}
    contents[LOCK] = model.lock.read_bytes()
    manifest = Manifest(
        name=model.name,
        version=model.version,
        serves="",
        sources={name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        weights={
            pointer.path.relative_to(model.contents).as_posix(): {
                "md5": pointer.md5,
                "size": pointer.size,
            }
            for pointer in model.pointers
        },
        environment=None,
        builder=f"slipway {slipway.__version__}",
        container={
            "entry": list(entry),
            "lock": hashlib.sha256(lock_content(model.lock).encode()).hexdigest(),
            "packages": [
                {"name": name, "version": version, "source": "pip"}
                for name, version in pins(model.lock)
            ],
        },
        capture=_capture(model.path),
    )
    size = sum(path.stat().st_size for path in weight_files.values())
    with atomic_write(output, size) as temporary, temporary.open("wb") as file:
        hashing = HashingWriter(file)
        with TarGzWriter(hashing) as writer:
            writer.add_bytes(CONTAINER_FILE, manifest.dump())
            for name, data in sorted(contents.items()):
                writer.add_bytes(name, data)
            for path, source in sorted(weight_files.items()):
                writer.add_file(path.relative_to(model.contents).as_posix(), source)
    return Artifact(output, sha256=hashing.sha256, size=hashing.size, manifest=manifest)


def _capture(folder: Path) -> dict[str, object] | None:
    """Return what ``capture.toml`` says.

    Raises:
        SlipwayError: it is invalid, or redacts tensors, which a container's model does not have.
    """
    rules = load_capture_rules(folder)
    if rules is not None and rules.redacts:
        raise SlipwayError(
            "a container's requests have no tensors, so nothing of them can be redacted",
            where=str(folder / FILE_NAME),
            fix="remove its tables; sample = 0 captures nothing of the model",
        )
    return None if rules is None else rules.dump()
