"""``slipway.toml``: the settings of the repository."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from slipway.errors import SlipwayError
from slipway.settings import endpoint as endpoints
from slipway.settings import models as containers
from slipway.settings import release, time_limits
from slipway.settings import remote as remotes
from slipway.settings import training as trainings
from slipway.settings.endpoint import EndpointSettings
from slipway.settings.models import ContainerSettings
from slipway.settings.release import STAGES, STORE, Signing, StageName, StageSettings
from slipway.settings.remote import RemoteSettings
from slipway.settings.tables import size, unknown
from slipway.settings.time_limits import TimeLimits
from slipway.settings.training import TrainingPlaceSettings

if sys.version_info >= (3, 11):
    import tomllib
else:  # in an application that installs slipway-client
    import tomli as tomllib

__all__ = [
    "ContainerSettings",
    "EndpointSettings",
    "RemoteSettings",
    "Settings",
    "Signing",
    "StageSettings",
    "TimeLimits",
    "TrainingPlaceSettings",
    "find_root",
    "load",
    "size",
    "stub_python",
]

FILE_NAME = "slipway.toml"
BUILT_IN = ("local", "staging", "production")
Layout = Literal["directory", "archive"]

# the allowed keys; None where the table's own module checks them
TABLES: dict[str, set[str] | None] = {
    "triton": {"release", "test_release", "docker_image"},
    "environment": {
        "python",
        "platform",
        "channels",
        "layout",
        "build-from-source",
        "zip",
        "unzipped",
    },
    "check": {"explicit_tensors"},
    "release": None,
    "signing": None,
    "endpoint": None,
    "models": None,
    "pipeline": None,
    "test": None,
    "training": None,
}


@dataclass(frozen=True)
class Settings:
    """The repository's settings; ``root`` is the folder that holds ``slipway.toml``.

    With ``explicit_tensors`` every config lists its inputs and outputs, and the servers start with
    auto-complete off. Without, a config may leave out what the server completes.
    ``served_environments`` is no setting: the digests of those that the image of the server that is
    started has. ``None`` is every one of this machine's cache.
    """

    root: Path
    triton_release: str = "25.04"
    test_release: str = "24.10"
    python: str = "3.12"
    platform: str = "linux-64"
    channels: tuple[str, ...] = ()
    layout: Layout = "directory"
    build_from_source: tuple[str, ...] = ()
    zip_packages: bool = True
    unzipped: tuple[str, ...] = ()
    explicit_tensors: bool = True
    store: str = STORE
    docker_image: str | None = None
    endpoints: Mapping[str, EndpointSettings] = field(default_factory=dict)
    containers: Mapping[str, ContainerSettings] = field(default_factory=dict)
    stages: Mapping[StageName, StageSettings] = field(default_factory=dict)
    signing: Signing = Signing()
    time_limits: TimeLimits = TimeLimits()
    remote: RemoteSettings = RemoteSettings()
    training: TrainingPlaceSettings = TrainingPlaceSettings()
    served_environments: tuple[str, ...] | None = None

    @property
    def base_environments(self) -> frozenset[str]:
        """Return the digests of the environments that the images of both stages have.

        Promotion copies bytes: an artifact that leaves its environment out must do so in both.
        """
        staging, production = (set(self.stage(name).base_environments) for name in STAGES)
        return frozenset(staging & production)

    def stage(self, name: StageName) -> StageSettings:
        """Return the settings of a stage; without an entry, ``store`` is its default."""
        return self.stages.get(name) or StageSettings(name, self.store)

    def store_of(self, entry: EndpointSettings) -> StageSettings:
        """Return the store that an endpoint serves: its own, otherwise its stage's."""
        stage = self.stage(entry.stage)
        if entry.store is None:
            return replace(stage, profile=entry.profile or stage.profile)
        return StageSettings(entry.stage, entry.store, entry.profile)

    def endpoint(self, name: str) -> EndpointSettings:
        """Return the settings of the endpoint ``name``.

        ``local``, ``staging`` and ``production`` need no entry. The environment variables
        ``SLIPWAY_STAGING_ENDPOINT`` and ``SLIPWAY_PRODUCTION_ENDPOINT`` override the names of these
        two in AWS.

        Raises:
            SlipwayError: there is no endpoint of that name.
        """
        endpoint = self.endpoints.get(name)
        if endpoint is None and name in BUILT_IN:
            endpoint = EndpointSettings(
                name, stage="production" if name == "production" else "staging"
            )
        if endpoint is not None:
            aws_name = os.environ.get(f"SLIPWAY_{name.upper()}_ENDPOINT")
            return replace(endpoint, endpoint_name=aws_name) if aws_name else endpoint
        names = ", ".join(sorted({*self.endpoints, *BUILT_IN}))
        raise SlipwayError(
            f"no endpoint {name!r}",
            where=str(self.root / FILE_NAME),
            fix=f"one of {names}, or add [endpoint.{name}]",
        )


def stub_python(release: str) -> str:
    """Return the Python minor version of the stub in NVIDIA's container of a Triton release.

    Source: the container release notes; 24.11 moved from Ubuntu 22.04 to 24.04.
    """
    if release >= "24.11":
        return "3.12"
    return "3.10" if release >= "23.03" else "3.8"


def find_root(start: Path) -> Path | None:
    """Return the repository's root: ``start`` or the nearest folder above with ``slipway.toml``."""
    start = start.resolve()
    return next((f for f in (start, *start.parents) if (f / FILE_NAME).is_file()), None)


def load(start: Path) -> Settings:
    """Read the ``slipway.toml`` in ``start`` or the nearest folder above it.

    Raises:
        SlipwayError: it is missing or not TOML, or a key or value is unknown.
    """
    root = find_root(start)
    if root is not None:
        return _parse(root / FILE_NAME)
    raise SlipwayError(
        f"no {FILE_NAME} here or in a folder above",
        where=str(start.resolve()),
        fix=f"run inside a Slipway repository, or create {FILE_NAME} at its root",
    )


def _parse(path: Path) -> Settings:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SlipwayError(
            f"not valid TOML: {error}", where=str(path), fix="correct the line named above"
        ) from error
    for table, values in tables.items():
        if table not in TABLES:
            raise unknown(path, f"[{table}]", TABLES)
        allowed = TABLES[table]
        for key in values if allowed is not None else ():
            if allowed is not None and key not in allowed:
                raise unknown(path, f"{table}.{key}", allowed)
    triton: dict[str, Any] = tables.get("triton", {})
    environment: dict[str, Any] = tables.get("environment", {})
    layout = environment.get("layout", "directory")
    if layout not in ("directory", "archive"):
        raise SlipwayError(
            f"environment.layout is {layout!r}", where=str(path), fix='"directory" or "archive"'
        )
    zip_packages = environment.get("zip", True)
    if not isinstance(zip_packages, bool):
        raise SlipwayError(
            f"environment.zip is {zip_packages!r}", where=str(path), fix="true or false"
        )
    explicit_tensors = tables.get("check", {}).get("explicit_tensors", True)
    if not isinstance(explicit_tensors, bool):
        raise SlipwayError(
            f"check.explicit_tensors is {explicit_tensors!r}", where=str(path), fix="true or false"
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
        build_from_source=_names(path, environment, "build-from-source"),
        zip_packages=zip_packages,
        unzipped=_names(path, environment, "unzipped"),
        explicit_tensors=explicit_tensors,
        store=tables.get("release", {}).get("store", default.store),
        endpoints={
            name: endpoints.parse(path, name, values)
            for name, values in tables.get("endpoint", {}).items()
        },
        containers={
            name: containers.parse(path, name, values)
            for name, values in tables.get("models", {}).items()
        },
        stages=release.parse_stages(path, tables.get("release", {})),
        signing=release.parse_signing(path, tables.get("signing", {})),
        time_limits=time_limits.parse(path, tables.get("test", {})),
        remote=remotes.parse(path, tables.get("pipeline", {})),
        training=trainings.parse(path, tables.get("training", {})),
    )
    for key in ("triton_release", "test_release"):
        if not re.fullmatch(r"\d\d\.\d\d", getattr(settings, key)):
            raise SlipwayError(
                f"{key.replace('triton_', 'triton.')} is {getattr(settings, key)!r}",
                where=str(path),
                fix='a Triton release is year.month, such as "25.04"',
            )
    return settings


def _names(path: Path, environment: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of packages' names in ``[environment]``."""
    names = environment.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SlipwayError(
            f"environment.{key} is {names!r}",
            where=str(path),
            fix=f'a list of names, such as {key} = ["langdetect"]',
        )
    return tuple(names)
