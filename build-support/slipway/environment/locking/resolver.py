"""Ask uv which versions and files requirements resolve to, without building anything."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from slipway.environment.packages import find_links, run_uv
from slipway.environment.platforms import uv_platform
from slipway.settings import Settings

# what uv would otherwise build a source distribution for; only its version and file matter here
STATIC = '\n[[dependency-metadata]]\nname = "{name}"\nrequires-dist = []\n'


@dataclass(frozen=True)
class DistributionFile:
    """A wheel or source distribution; ``size`` is in bytes, and None if the index omits it."""

    url: str
    sha256: str
    size: int | None = None
    uploaded: datetime | None = None

    @property
    def name(self) -> str:
        """Return the file's name."""
        return unquote(urlsplit(self.url).path).rpartition("/")[2]

    @property
    def path(self) -> Path | None:
        """Return the file's path, if it is one of this machine."""
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


@dataclass(frozen=True)
class ResolvedPackage:
    """A package, with its wheel for the configured platform or its source distribution."""

    name: str
    version: str
    wheel: DistributionFile | None
    source: DistributionFile | None


def resolve(
    requirements: Iterable[str],
    settings: Settings,
    *,
    where: Path,
    from_source: Iterable[str] = (),
    wheels: Iterable[Path] = (),
    limits: Iterable[str] = (),
    dependencies: bool = True,
) -> list[ResolvedPackage]:
    """Return what ``requirements`` resolve to for the configured Python and platform.

    Args:
        requirements: lines for uv.
        where: the ``requirements.txt``; the configuration of uv is searched from its folder.
        from_source: packages whose source distribution is taken, and whose dependencies are not.
        wheels: folders with more wheels.
        limits: requirements that hold only for packages that are needed anyway.
        dependencies: whether to resolve what the packages require, too.

    Raises:
        SlipwayError: uv finds no solution, or reaches no index.
    """
    names = sorted(from_source)
    argv: list[str | Path] = [
        *("pip", "compile", "--quiet", "--format", "pylock.toml", *wheels_only(names)),
        *target_options(settings),
        *(() if dependencies else ("--no-deps",)),
    ]
    with tempfile.TemporaryDirectory(prefix="slipway-lock-") as work:
        source, target = Path(work, "requirements.txt"), Path(work, "pylock.toml")
        source.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
        constraints = Path(work, "constraints.txt")
        constraints.write_text("".join(f"{line}\n" for line in limits), encoding="utf-8")
        run_uv(
            [*argv, "--constraint", constraints, "--output-file", target, source],
            settings,
            what=f"locking {where}",
            cwd=where.parent,
            variables={**static_metadata(names, Path(work)), **find_links(wheels)},
        )
        packages = tomllib.loads(target.read_text(encoding="utf-8")).get("packages", [])
    return [_resolved(package, Path(work)) for package in packages]


def target_options(settings: Settings) -> tuple[str, ...]:
    """Return uv's options for the configured platform and Python."""
    platform = uv_platform(settings.platform)
    return ("--python-platform", platform, "--python-version", settings.python)


def wheels_only(from_source: Iterable[str] = ()) -> tuple[str, ...]:
    """Return uv's options to take wheels only, but for the packages ``from_source``."""
    exceptions = [part for name in from_source for part in ("--no-binary", name)]
    return ("--only-binary", ":all:", *exceptions)


def static_metadata(names: Sequence[str], folder: Path) -> Mapping[str, str]:
    """Return variables by which uv takes ``names`` to require nothing, and so builds none of them.

    Writes a copy of the user's configuration with that added into ``folder``. A repository's own
    ``uv.toml`` still applies: uv merges the two.
    """
    if not names:
        return {}
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    chosen = os.environ.get("UV_CONFIG_FILE")
    base = Path(chosen) if chosen else home / "uv/uv.toml"
    text = base.read_text(encoding="utf-8") if base.is_file() else ""
    copy = folder / "uv/uv.toml"
    copy.parent.mkdir()
    copy.write_text(text + "".join(STATIC.format(name=name) for name in names), encoding="utf-8")
    if chosen or os.environ.get("UV_NO_CONFIG"):
        return {"UV_CONFIG_FILE": str(copy), "UV_NO_CONFIG": "false"}
    return {"XDG_CONFIG_HOME": str(folder)}


def _resolved(package: Mapping[str, Any], work: Path) -> ResolvedPackage:
    wheels = package.get("wheels") or [package[key] for key in ("archive",) if key in package]
    source = package.get("sdist")
    return ResolvedPackage(
        canonicalize_name(package["name"]),
        package.get("version", ""),
        _file(wheels[0], work) if wheels else None,
        _file(source, work) if source else None,
    )


def _file(values: Mapping[str, Any], work: Path) -> DistributionFile:
    url = values.get("url") or (work / values["path"]).resolve().as_uri()
    return DistributionFile(
        url, values["hashes"]["sha256"], values.get("size"), values.get("upload-time")
    )
