"""Where an image goes: a layout, a file for ``docker load``, a registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.files import atomic_write, cache_dir, temp_sibling
from slipway.image import skopeo
from slipway.image.base import CACHE
from slipway.image.image import Image
from slipway.image.layout import Layout
from slipway.image.references import InFile, InLayout, InRegistry, Output


@dataclass(frozen=True)
class Place:
    """A layout to make an image in, and the ``name`` that it gets there."""

    layout: Layout
    name: str


@contextmanager
def place_for(output: Output, name: str) -> Iterator[Place]:
    """Yield where the image is made: in the layout that ``output`` names, or a temporary one.

    ``name`` is the default.
    """
    if isinstance(output, InLayout):
        yield Place(Layout(output.path), output.name or name)
        return
    # next to the bases, whose layers are linked and not copied
    with temp_sibling(cache_dir(CACHE) / "made") as folder:
        yield Place(Layout(folder), name)


def send(image: Image, output: Output, authfile: Path | None) -> str:
    """Bring an image where ``output`` says; return how it is named there.

    What is attached goes to a layout and a registry; a file for ``docker load`` has no place for
    it.

    Raises:
        SlipwayError: skopeo is missing or fails, or the registry refuses.
    """
    made = f"oci:{image.layout.root}"
    if isinstance(output, InLayout):
        return f"{made}:{image.name}"
    if isinstance(output, InFile):
        title, _, version = image.name.rpartition("-")
        # Docker allows no capital letters
        reference = f"{(title or image.name).lower()}:{version if title else 'latest'}"
        with atomic_write(output.path) as temporary:
            skopeo.save(f"{made}:{image.name}", temporary, reference)
        return f"docker:{output.path} ({reference})"
    skopeo.push(f"{made}:{image.name}", output, authfile)
    attached = InRegistry(output.host, output.repository, image.index)
    skopeo.push(f"{made}:{image.index}", attached, authfile, whole=True)
    return f"{output.repository}@{image.digest}"
