"""What the image that serves has: its shared libraries and the versions of their symbols."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

DATA = Path(__file__).with_name("image.toml")
OLDEST_KNOWN = "23.03"


@dataclass(frozen=True)
class ServingImage:
    """NVIDIA's image of a Triton release."""

    release: str  # "25.04"
    ubuntu: str  # "24.04"
    libraries: frozenset[str]  # the names by which they are loaded: "libz.so.1"
    symbols: Mapping[str, str]  # the highest symbol version of each kind: GLIBC → "2.39"


@cache
def serving_image(release: str) -> ServingImage:
    """Return what the image of the Triton ``release`` has; ``image.toml`` names its sources.

    Raises:
        SlipwayError: the release is older than the images that are known.
    """
    data = _data()
    known = [image for image in data["image"] if image["since"] <= release]
    if not known:
        raise SlipwayError(
            f"it is not known which libraries the image of Triton {release} has",
            fix=f"set [triton] release in slipway.toml to {OLDEST_KNOWN} or later",
        )
    image = max(known, key=lambda image: str(image["since"]))
    names = (name for package in image["packages"] for name in data["packages"][package])
    return ServingImage(release, image["ubuntu"], frozenset(names), image["symbols"])


def replacement(package: str) -> str | None:
    """Return the package that serves instead of ``package`` without its system libraries."""
    value: str | None = _data()["replacements"].get(package)
    return value


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))
