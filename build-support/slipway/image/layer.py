"""Write a layer of an image: a reproducible ``tar.gz``, named by its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from zlib_ng import gzip_ng

from slipway.archive.writer import TarGzWriter
from slipway.files import CHUNK, HashingWriter, temp_sibling
from slipway.image.layout import LAYER_TYPE, Descriptor, Layout


@dataclass(frozen=True)
class Layer:
    """``digest`` names the compressed bytes, ``diff_id`` the tar in them; ``size`` is in bytes.
    ``purpose`` is a line of the image's history."""

    digest: str
    size: int
    diff_id: str
    purpose: str

    @property
    def descriptor(self) -> Descriptor:
        """Return how a manifest names the layer."""
        return {"mediaType": LAYER_TYPE, "digest": self.digest, "size": self.size}


class LayerInProgress:
    """A layer that is being written; ``layer`` is set when its block has ended."""

    layer: Layer

    def __init__(self, writer: TarGzWriter) -> None:
        self.writer = writer


@contextmanager
def writing_layer(layout: Layout, purpose: str) -> Iterator[LayerInProgress]:
    """Yield a layer whose members are added to its ``writer``; it is in ``layout`` at the end.

    Owner, times and order are those of :class:`TarGzWriter`: equal members give an equal digest,
    on any machine.
    """
    with temp_sibling(layout.root / "blobs" / "sha256" / "layer") as temporary:
        with temporary.open("wb") as file:
            hashing = HashingWriter(file)
            with TarGzWriter(hashing) as writer:
                progress = LayerInProgress(writer)
                yield progress
        digest = f"sha256:{hashing.sha256}"
        diff = hashlib.sha256()
        with gzip_ng.GzipNGFile(temporary) as content:  # type: ignore[no-untyped-call]
            while chunk := content.read(CHUNK):
                diff.update(chunk)
        temporary.rename(layout.blob(digest))
    progress.layer = Layer(digest, hashing.size, f"sha256:{diff.hexdigest()}", purpose)
