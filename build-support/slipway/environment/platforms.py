"""Conda's names for platforms, and those of other tools."""

from __future__ import annotations

import platform
import sys

from slipway.errors import SlipwayError

# for uv: the oldest glibc for which most packages have wheels; Triton's containers have 2.35
UV_PLATFORMS = {
    "linux-64": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
}
_MACHINES = {"x86_64": "64", "amd64": "64", "aarch64": "aarch64", "arm64": "arm64"}
_SYSTEMS = {"linux": "linux", "darwin": "osx"}
OWN_PLATFORM = "-".join(
    (
        _SYSTEMS.get(sys.platform, sys.platform),
        _MACHINES.get(platform.machine().lower(), platform.machine().lower()),
    )
)


def uv_platform(name: str) -> str:
    """Return uv's ``--python-platform`` for conda's ``name``.

    Raises:
        SlipwayError: Triton has no servers for that platform.
    """
    if name not in UV_PLATFORMS:
        raise SlipwayError(
            f"execution environments cannot be built for {name!r}",
            fix=f"environment.platform in slipway.toml is one of: {', '.join(UV_PLATFORMS)}",
        )
    return UV_PLATFORMS[name]
