"""Fetch and push images by skopeo, which needs neither an engine nor a daemon."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.image.layout import digest_of
from slipway.image.references import InRegistry
from slipway.process import run

PROGRAM = "skopeo"
TIMEOUT = "--command-timeout=60m"  # of a registry that stopped answering; a base has gigabytes
INSTALL = "apt-get install skopeo, or brew install skopeo"


def fetch_digest(image: InRegistry, authfile: Path | None) -> str:
    """Return the digest of what a registry has under this name: a manifest, or an index.

    Raises:
        SlipwayError: skopeo is missing, or the registry refuses or lacks it.
    """
    arguments = ["inspect", "--raw", *_access(image, authfile, ""), f"docker://{image}"]
    return digest_of(_skopeo(arguments, f"looking up {image}", _advice(image)).encode())


def fetch(image: InRegistry, into: str, architecture: str, authfile: Path | None) -> None:
    """Copy an image from a registry into the layout ``into``, ``oci:PATH:NAME``.

    Raises:
        SlipwayError: as :func:`fetch_digest`.
    """
    arguments = ["--override-os=linux", f"--override-arch={architecture}", "copy", "--format=oci"]
    arguments += [*_access(image, authfile, "src-"), f"docker://{image}", into]
    _skopeo(arguments, f"fetching {image}", _advice(image))


def push(layout: str, image: InRegistry, authfile: Path | None, *, whole: bool = False) -> None:
    """Copy an image of a layout, ``oci:PATH:NAME``, to a registry, with its digest unchanged.

    ``whole`` copies all that an index lists, with their digests unchanged. skopeo 1.9 writes the
    index itself anew, without the types of its entries, and refuses to preserve its digest.

    Raises:
        SlipwayError: skopeo is missing, or the registry refuses.
    """
    # the policy is about foreign images' signatures, and this is our own
    arguments = ["--insecure-policy", "copy", "--all" if whole else "--preserve-digests"]
    arguments += [*_access(image, authfile, "dest-"), layout, f"docker://{image}"]
    _skopeo(arguments, f"pushing {image}", _advice(image))


def save(layout: str, file: Path, name: str) -> None:
    """Write an image of a layout as a file that ``docker load`` reads under ``name``.

    Raises:
        SlipwayError: skopeo is missing or fails.
    """
    arguments = ["--insecure-policy", "copy", layout, f"docker-archive:{file}:{name}"]
    _skopeo(arguments, f"writing {file.name}", f"{PROGRAM} {' '.join(arguments)} shows the problem")


def _access(image: InRegistry, authfile: Path | None, side: str) -> list[str]:
    """Return the options by which a registry is reached. Credentials stay in their file."""
    options = [f"--{side}tls-verify=false"] if image.is_loopback else []
    if authfile is None:
        return options
    if not authfile.is_file():
        raise SlipwayError("no such file", where=str(authfile), fix=f"skopeo login {image.host}")
    return [*options, f"--{side}authfile={authfile.resolve()}"]


def _skopeo(arguments: Sequence[str], what: str, fix: str) -> str:
    if shutil.which(PROGRAM) is None:
        raise SlipwayError(f"{what}: {PROGRAM} is not installed", fix=INSTALL)
    return run([PROGRAM, TIMEOUT, *arguments], what=what, fix=fix).stdout


def _advice(image: InRegistry) -> str:
    return (
        f"check that {image.host} can be reached; skopeo login {image.host} writes credentials,"
        " and --authfile FILE names another file of them"
    )
