"""``slipway.toml``: what is configured once for the whole repository."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from slipway.errors import SlipwayError

FILE_NAME = "slipway.toml"
BUILT_IN = ("local", "staging", "production")
Layout = Literal["directory", "archive"]

KNOWN = {
    "triton": {"release", "test_release", "docker_image"},
    "environment": {"python", "platform", "channels", "layout"},
    "release": {"store"},
    "endpoint": None,  # a table of tables
}
# of each [endpoint.<name>]
ENDPOINT_KEYS = {
    "stage",
    "endpoint_name",
    "region",
    "profile",
    "store",
    "models",
    "memory",
    "disk",
    "cache",
    "allow",
}


@dataclass(frozen=True)
class Endpoint:
    """``[endpoint.<name>]``: one SageMaker multi-model endpoint.

    With ``endpoint_name`` (and ``region``, ``profile`` of the AWS configuration) clients ask that
    endpoint in AWS; without it, the one that ``slipway endpoint up`` serves here. ``stage`` is
    the part of the release store that it serves and that its aliases come from. The rest limits
    the local one: loaded ``models``, bytes of ``memory`` and ``disk`` (0: no limit), ``cache`` as
    SageMaker's ModelCacheSetting, target models that callers are allowed (StringLike patterns).
    """

    name: str
    stage: Literal["staging", "production"] = "staging"
    endpoint_name: str | None = None
    region: str | None = None
    profile: str | None = None
    store: str | None = None
    models: int = 0
    memory: int = 0
    disk: int = 0
    cache: Literal["enabled", "disabled"] = "enabled"
    allow: tuple[str, ...] = ("*",)


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
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint ``name``, as configured; ``local``, ``staging`` and ``production`` need no entry.

        Raises:
            SlipwayError: there is none of that name.
        """
        if name in self.endpoints:
            return self.endpoints[name]
        if name in BUILT_IN:
            return Endpoint(name, stage="production" if name == "production" else "staging")
        known = ", ".join(sorted({*self.endpoints, *BUILT_IN}))
        raise SlipwayError(
            f"no endpoint {name!r}",
            where=str(self.root / FILE_NAME),
            fix=f"one of {known}, or add [endpoint.{name}]",
        )


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
        endpoints={
            name: _endpoint(path, name, values)
            for name, values in tables.get("endpoint", {}).items()
        },
    )
    for key in ("triton_release", "test_release"):
        if not re.fullmatch(r"\d\d\.\d\d", getattr(settings, key)):
            raise SlipwayError(
                f"{key.replace('triton_', 'triton.')} is {getattr(settings, key)!r}",
                where=str(path),
                fix='a Triton release is year.month, such as "25.04"',
            )
    return settings


def size(text: str | int) -> int:
    """Bytes that ``text`` says: ``2GiB``, ``500MB``, ``4g``, or a plain number.

    Raises:
        ValueError: it says none.
    """
    found = re.fullmatch(
        r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?", str(text).strip(), re.IGNORECASE
    )
    if not found:
        raise ValueError(f"{text!r} is no size, such as 2GiB")
    number, unit, binary = found.groups()
    power = " KMGT".index(unit.upper()) if unit else 0
    return int(
        float(number)
        * (1000 if unit and not binary and str(text).strip()[-1] in "bB" else 1024) ** power
    )


def _endpoint(path: Path, name: str, values: Any) -> Endpoint:
    where, place = f"{path}: [endpoint.{name}]", f"endpoint.{name}"
    if not isinstance(values, dict):
        raise _unknown(path, place, [f"[endpoint.{name}] with keys of its own"])
    for key in values:
        if key not in ENDPOINT_KEYS:
            raise _unknown(path, f"{place}.{key}", sorted(ENDPOINT_KEYS))
    chosen = {"stage": "production" if name == "production" else "staging", **values}
    try:
        if chosen["stage"] not in ("staging", "production"):
            raise ValueError(f"stage is {chosen['stage']!r}: staging or production")
        if chosen.get("cache", "enabled") not in ("enabled", "disabled"):
            raise ValueError(f"cache is {chosen['cache']!r}: enabled or disabled")
        for key in {"memory", "disk"} & set(chosen):
            chosen[key] = size(chosen[key])
        chosen["models"] = int(chosen.get("models", 0))
        chosen["allow"] = tuple(str(pattern) for pattern in chosen.get("allow", ("*",)))
    except (TypeError, ValueError) as error:
        raise SlipwayError(str(error), where=where, fix="correct the value") from error
    return Endpoint(name, **chosen)


def _unknown(path: Path, name: str, known: list[str]) -> SlipwayError:
    return SlipwayError(
        f"unknown {name}", where=str(path), fix=f"remove it; known are: {', '.join(known)}"
    )
