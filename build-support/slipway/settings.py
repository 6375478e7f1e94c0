"""``slipway.toml``: what is configured once for the whole repository."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from slipway.errors import SlipwayError

FILE_NAME = "slipway.toml"
Layout = Literal["directory", "archive"]

KNOWN = {
    "triton": {"release", "test_release", "docker_image"},
    "environment": {"python", "platform", "channels", "layout"},
    "release": {"store"},
    "endpoint": None,
}


@dataclass(frozen=True)
class Settings:
    """The repository's settings; ``root`` is the folder that holds ``slipway.toml``."""

    root: Path
    triton_release: str = "25.04"
    test_release: str = "24.10"
    python: str = "3.12"
    platform: str = "linux-64"
    channels: tuple[str, ...] = ()
    layout: Layout = "directory"
    store: str = ".slipway/releases"
    docker_image: str | None = None
    endpoints: tuple[str, ...] = ()


def stub_python(release: str) -> str:
    """The Python minor version of the stub in NVIDIA's container of a Triton release.

    Source: the container release notes; 24.11 moved from Ubuntu 22.04 to 24.04.
    """
    if release >= "24.11":
        return "3.12"
    return "3.10" if release >= "23.03" else "3.8"


def load(start: Path) -> Settings:
    """Read the ``slipway.toml`` in ``start`` or the nearest folder above it.

    Raises:
        SlipwayError: there is none, it is not TOML, or a key or value is unknown.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return _parse(folder / FILE_NAME)
    raise SlipwayError(
        f"no {FILE_NAME} here or in a folder above",
        where=str(start),
        fix=f"run inside a Slipway repository, or create {FILE_NAME} at its root",
    )


def _parse(path: Path) -> Settings:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SlipwayError(
            f"not valid TOML: {error}", where=str(path), fix="mend the line named above"
        ) from error
    for table, values in tables.items():
        if table not in KNOWN:
            raise _unknown(path, f"[{table}]", sorted(KNOWN))
        allowed = KNOWN[table]
        for key in values if allowed is not None else ():
            if key not in cast(set[str], allowed):
                raise _unknown(path, f"{table}.{key}", sorted(cast(set[str], allowed)))
    triton: dict[str, Any] = tables.get("triton", {})
    environment: dict[str, Any] = tables.get("environment", {})
    layout = environment.get("layout", "directory")
    if layout not in ("directory", "archive"):
        raise SlipwayError(
            f"environment.layout is {layout!r}", where=str(path), fix='"directory" or "archive"'
        )
    default = Settings(root=path.parent)
    settings = Settings(
        root=path.parent,
        triton_release=triton.get("release", default.triton_release),
        test_release=triton.get("test_release", default.test_release),
        docker_image=triton.get("docker_image"),
        python=environment.get("python", default.python),
        platform=environment.get("platform", default.platform),
        channels=tuple(environment.get("channels", ())),
        layout=layout,
        store=tables.get("release", {}).get("store", default.store),
        endpoints=tuple(tables.get("endpoint", {})),
    )
    for key in ("triton_release", "test_release"):
        if not re.fullmatch(r"\d\d\.\d\d", getattr(settings, key)):
            raise SlipwayError(
                f"{key.replace('triton_', 'triton.')} is {getattr(settings, key)!r}",
                where=str(path),
                fix='a Triton release is year.month, such as "25.04"',
            )
    return settings


def _unknown(path: Path, name: str, known: list[str]) -> SlipwayError:
    return SlipwayError(
        f"unknown {name}", where=str(path), fix=f"remove it; known are: {', '.join(known)}"
    )
