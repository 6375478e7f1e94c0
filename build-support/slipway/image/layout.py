"""Read and write an OCI image layout: a folder of blobs named by their digests, and its index.

Source: https://github.com/opencontainers/image-spec, image-layout.md, descriptor.md, manifest.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.files import atomic_write, locked

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
REF_NAME = "org.opencontainers.image.ref.name"
ATTACHED = "sha256-"  # begins the names of indexes of what is attached to an image
LARGEST = 16 << 20  # bytes of a manifest, a config or an index
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
INDEX, MARKER, VERSION = "index.json", "oci-layout", "1.0.0"

type Descriptor = dict[str, Any]


class Layout:
    """The layout in the folder ``root``. A blob is absent or complete, and never changes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        """Make the folder a layout, if it is none.

        Raises:
            SlipwayError: it holds other files.
        """
        if (self.root / MARKER).is_file():
            return
        if self.root.is_file() or (self.root.is_dir() and any(self.root.iterdir())):
            raise SlipwayError(
                "not an OCI layout, and not empty",
                where=str(self.root),
                fix="name a new folder, or one that an earlier slipway image wrote",
            )
        (self.root / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        with atomic_write(self.root / INDEX) as temporary:
            temporary.write_bytes(dump({"schemaVersion": 2, "manifests": []}))
        with atomic_write(self.root / MARKER) as temporary:
            temporary.write_bytes(dump({"imageLayoutVersion": VERSION}))

    def blob(self, digest: str) -> Path:
        """Return the path of a blob.

        Raises:
            SlipwayError: ``digest`` is not a SHA-256.
        """
        if not DIGEST.fullmatch(digest):
            raise self._damaged(f"{digest!r:.100} is not the digest of a blob")
        return self.root / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def put(self, data: bytes, media_type: str, **more: Any) -> Descriptor:
        """Write a blob, and return its descriptor with the fields ``more``."""
        digest = digest_of(data)
        path = self.blob(digest)
        if not path.is_file():
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def take(self, descriptor: Descriptor, other: Layout) -> None:
        """Bring a blob of ``other`` in: linked where both are on one disk, else copied.

        Its bytes are not read: whoever unpacks or pushes the image compares them with the digest.

        Raises:
            SlipwayError: ``other`` lacks it, or a part of it.
        """
        digest = str(descriptor["digest"])
        source, path = other.blob(digest), self.blob(digest)
        if path.is_file():
            return
        if not source.is_file():
            raise other._damaged(f"the blob {digest} is missing")
        if source.stat().st_size != descriptor["size"]:
            raise other._damaged(f"the blob {digest} has {source.stat().st_size:,} bytes")
        with atomic_write(path) as temporary:
            with contextlib.suppress(OSError):
                os.link(source, temporary)
            if not temporary.is_file():
                shutil.copyfile(source, temporary)

    def read(self, descriptor: Mapping[str, Any]) -> bytes:
        """Return the bytes of a small blob, compared with its digest.

        Raises:
            SlipwayError: it is missing, larger than 16 MiB, or has another digest.
        """
        digest = str(descriptor.get("digest"))
        path = self.blob(digest)
        if not path.is_file():
            raise self._damaged(f"the blob {digest} is missing")
        if path.stat().st_size > LARGEST:
            raise self._damaged(f"the blob {digest} has {path.stat().st_size:,} bytes")
        data = path.read_bytes()
        if digest_of(data) != digest:
            raise self._damaged(f"the blob {digest} has other bytes")
        return data

    def read_json(self, descriptor: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON object in a small blob.

        Raises:
            SlipwayError: as :meth:`read`, or it is no JSON object.
        """
        return self._parse(self.read(descriptor), str(descriptor.get("digest")))

    def images(self) -> list[Descriptor]:
        """Return the descriptors in the index.

        Raises:
            SlipwayError: the folder is not a layout.
        """
        try:
            data = (self.root / INDEX).read_bytes()
        except OSError as error:
            raise SlipwayError(
                f"not an OCI layout: {INDEX}: {error.strerror}",
                where=str(self.root),
                fix="make one: skopeo copy docker://… oci:" + str(self.root) + ":base",
            ) from error
        listed = self._parse(data, INDEX).get("manifests")
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise self._damaged(f"{INDEX} lists no manifests")
        return listed

    def names(self) -> list[str]:
        """Return the names of the images, without those of what is attached to them."""
        found = (ref_name(image) for image in self.images())
        return [name for name in found if name and not name.startswith(ATTACHED)]

    def find(self, name: str | None) -> Descriptor:
        """Return the descriptor of the image ``name``, or of the only one.

        Raises:
            SlipwayError: there is none of that name, or there are several.
        """
        images = [
            image
            for image in self.images()
            if (ref_name(image) == name if name else not ref_name(image).startswith(ATTACHED))
        ]
        if len(images) != 1:
            named = "" if name is None else f" named {name}"
            raise SlipwayError(
                f"it has {len(images)} images{named}",
                where=str(self.root),
                fix=f"oci:{self.root}:NAME, with one of {', '.join(self.names()) or '(none)'}",
            )
        return images[0]

    def name(self, named: Sequence[tuple[str, Descriptor]]) -> None:
        """Write the images into the index, in place of those of the same names."""
        names = {name for name, _ in named}
        with locked(self.root / f"{INDEX}.lock"):
            kept = [image for image in self.images() if ref_name(image) not in names]
            added = [
                {**image, "annotations": {**(image.get("annotations") or {}), REF_NAME: name}}
                for name, image in named
            ]
            entries = sorted([*kept, *added], key=ref_name)
            with atomic_write(self.root / INDEX) as temporary:
                temporary.write_bytes(
                    dump({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries})
                )

    def _parse(self, data: bytes, what: str) -> dict[str, Any]:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self._damaged(f"{what} is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise self._damaged(f"{what} is not a JSON object")
        return value

    def _damaged(self, what: str) -> SlipwayError:
        return SlipwayError(
            f"a damaged OCI layout: {what}", where=str(self.root), fix="write or fetch it again"
        )


def ref_name(image: Descriptor) -> str:
    """Return the name of an image in an index; empty without one."""
    annotations = image.get("annotations")
    name = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    return name if isinstance(name, str) else ""


def digest_of(data: bytes) -> str:
    """Return the digest by which ``data`` is named."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def dump(value: object) -> bytes:
    """Return ``value`` as JSON: equal bytes for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
