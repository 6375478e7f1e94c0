"""What the options ``--base`` and ``--output`` name: layouts, archives, images in registries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError

# the grammar of tags and names (opencontainers/distribution-spec, "Pulling manifests")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
REGISTRY = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+(:[0-9]+)?|\[[0-9a-f:]+\](:[0-9]+)?)"
    r"/(?P<name>[a-z0-9]+([._/-]+[a-z0-9]+)*)"
    r"(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:[0-9]+)?")


@dataclass(frozen=True)
class InLayout:
    """The image ``name`` of an OCI layout; ``None`` is the only one."""

    path: Path
    name: str | None


@dataclass(frozen=True)
class InFile:
    """A file that ``docker load`` reads."""

    path: Path


@dataclass(frozen=True)
class InRegistry:
    """An image in a registry: ``repository`` begins with the host."""

    host: str
    repository: str
    tag: str | None
    digest: str | None = None

    @property
    def is_loopback(self) -> bool:
        """Return whether the registry is on this machine, which needs no TLS."""
        return LOOPBACK.fullmatch(self.host) is not None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag and not self.digest else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


type Base = InLayout | InRegistry
type Output = InLayout | InFile | InRegistry


def parse_base(text: str) -> Base:
    """Return what ``oci:PATH[:NAME]`` or ``docker://HOST/NAME:TAG`` names.

    Raises:
        SlipwayError: it is neither.
    """
    kind, _, rest = text.partition(":")
    if kind == "oci" and rest:
        return _in_layout(rest)
    if kind == "docker" and rest.startswith("//"):
        return _in_registry(rest[2:], "--base", "docker://nvcr.io/nvidia/tritonserver:25.04-py3")
    raise SlipwayError(
        f"no base image is named {_shown(text)!r}",
        where="--base",
        fix="oci:PATH, or docker://HOST/NAME:TAG",
    )


def parse_output(text: str) -> Output:
    """Return what ``oci:PATH[:NAME]``, ``docker:FILE`` or ``registry:HOST/NAME:TAG`` names.

    Raises:
        SlipwayError: it is none of them, or names a registry without a tag.
    """
    kind, _, rest = text.partition(":")
    if kind == "oci" and rest:
        return _in_layout(rest)
    if kind == "docker" and rest and not rest.startswith("//"):
        return InFile(Path(rest))
    if kind == "registry" and rest:
        example = "registry:registry.example.com/models/screen_detection:1.0.0"
        found = _in_registry(rest, "--output", example)
        if found.tag is None or found.digest is not None:
            raise SlipwayError("an image is pushed under a tag", where="--output", fix=example)
        return found
    raise SlipwayError(
        f"no output is named {_shown(text)!r}",
        where="--output",
        fix="oci:PATH, docker:FILE, or registry:HOST/NAME:TAG",
    )


def _in_layout(text: str) -> InLayout:
    path, colon, name = text.rpartition(":")
    if colon and TAG.fullmatch(name):
        return InLayout(Path(path), name)
    return InLayout(Path(text), None)


def _in_registry(text: str, option: str, example: str) -> InRegistry:
    match = REGISTRY.fullmatch(text)
    if match is None:
        secret = "@" in text.partition("/")[0]
        raise SlipwayError(
            (
                "a password belongs into a file, not on a command line"
                if secret
                else f"no image in a registry is named {_shown(text)!r}"
            ),
            where=option,
            fix="skopeo login HOST writes one; --authfile FILE names it" if secret else example,
        )
    repository = f"{match['host']}/{match['name']}"
    return InRegistry(match["host"], repository, match["tag"], match["digest"])


def _shown(text: str) -> str:
    """Return ``text`` without what may be a user and a password."""
    return re.sub(r"//[^/]*@", "//…@", text)
