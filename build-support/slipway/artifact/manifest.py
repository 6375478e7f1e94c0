"""The manifest inside an artifact: what it was built from. Equal inputs give an equal manifest.

It is at ``<ensemble>/<model version>/manifest.json``, which also keeps the ensemble's version
directory in the tar: without a file in it Triton says "at least one version must be available".

The commit is not in it: a commit that changes one model would change every artifact. It holds the
digest of each source instead, and the release's record names the commit that published it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from tarfile import TarInfo
from typing import IO, Any

from slipway.errors import SlipwayError

FILE_NAME = "manifest.json"
# of a container's model. AWS's Multi Model Server takes any manifest.json in any folder of a model
# for one of its own, and ends (ModelArchive.java; seen with 1.1.11)
CONTAINER_FILE = "slipway/artifact.json"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """The inputs of an artifact.

    ``sources`` maps a packed file to its SHA-256, ``weights`` a packed file to its md5 and size in
    bytes. ``environment`` is ``None`` for a model without Python models; else it has the layout,
    the path in the artifact (of the layout ``image``: in the serving image), Python, platform,
    origin of the interpreter, digests and packages.
    ``container`` is ``None`` for a model of Triton; else it has the ``entry`` that the container
    runs, its ``packages`` and the SHA-256 of their ``lock``'s content, and ``serves`` is empty.
    ``conversion`` is ``None`` for weights that a training wrote as they are served; else it is what
    ``conversion.json`` records of the original, the programs, the options and the difference.
    ``fold`` is ``None`` for graphs that are served as they were trained; else it is what
    ``fold.json`` records of the graph and of what was folded into it.
    ``capture`` is ``None`` for a model without ``capture.toml``; else it is what the file says, for
    those who serve the release and know its record only.
    """

    name: str
    version: str
    serves: str
    sources: dict[str, str]
    weights: dict[str, dict[str, Any]]
    environment: dict[str, Any] | None
    builder: str
    format: int = field(default=FORMAT)
    container: dict[str, Any] | None = None
    conversion: dict[str, Any] | None = None
    capture: dict[str, Any] | None = None
    fold: dict[str, Any] | None = None

    def folded_from(self) -> dict[str, str]:
        """Return the MD5 of the graph that a served one was folded from, by the served one's path;
        empty if none was folded."""
        fold = self.fold or {"graph": "", "sources": {}}
        graph, source = fold["graph"], fold["sources"].get(fold["graph"])
        return {graph: source} if source is not None and graph in self.weights else {}

    def values(self) -> dict[str, Any]:
        """Return the manifest as JSON values."""
        values = asdict(self)
        for key in ("container", "conversion", "capture", "fold"):
            if values[key] is None:
                del values[key]  # of few models, and added later: the others' bytes stay
        return values

    def dump(self) -> bytes:
        """Return the bytes of ``manifest.json``."""
        return (json.dumps(self.values(), indent=1, sort_keys=True) + "\n").encode()


def parse_manifest(data: bytes, *, where: str) -> Manifest:
    """Return the manifest that :meth:`Manifest.dump` wrote.

    Raises:
        SlipwayError: it is damaged, or of a format that this version of Slipway cannot read.
    """
    try:
        values = json.loads(data)
        if values["format"] != FORMAT:
            raise SlipwayError(
                f"manifest of format {values['format']}, this Slipway reads {FORMAT}",
                where=where,
                fix="use the Slipway of the commit that built it",
            )
        manifest = Manifest(**values)
        if not (isinstance(manifest.sources, dict) and isinstance(manifest.weights, dict)):
            raise TypeError("sources and weights have to be objects")
        return manifest
    except (ValueError, KeyError, TypeError) as error:
        raise SlipwayError(f"its {FILE_NAME} is damaged: {error}", where=where) from error


def is_manifest(name: str) -> bool:
    """Return whether an artifact's first file, called ``name``, can be its manifest."""
    return name == CONTAINER_FILE or name.endswith(f"/{FILE_NAME}")


def read_first_file(files: Iterator[tuple[TarInfo, IO[bytes]]], *, where: str) -> tuple[str, bytes]:
    """Read the manifest from an artifact's ``files``: the name and bytes of the first one.

    Raises:
        SlipwayError: the first file is not a manifest.
    """
    member, stream = next(files, (None, None))
    if member is None or stream is None or not is_manifest(member.name):
        raise SlipwayError(
            f"not a Slipway artifact: its first file is not {FILE_NAME}",
            where=where,
            fix="slipway build models/<name>",
        )
    return member.name, stream.read()
