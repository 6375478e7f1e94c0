"""``[release]``, with a table for each stage, and ``[signing]`` of ``slipway.toml``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from slipway.errors import SlipwayError
from slipway.settings.tables import unknown

StageName = Literal["staging", "production"]
STAGES: tuple[StageName, ...] = get_args(StageName)
# what a stage may require of every release, in addition to what promotion always requires
REQUIREMENTS = ("tests", "provenance", "training", "signature")
RELEASE_KEYS = {"store", *STAGES}
STAGE_KEYS = {
    "store",
    "profile",
    "kms_key",
    "tags",
    "require",
    "clean_commit",
    "base_environments",
}
ENVIRONMENT = re.compile(r"[0-9a-f]{64}")
SIGNING_KEY = "SLIPWAY_SIGNING_KEY"
SIGNING_KEYS = {"key", "trusted"}
STORE = ".slipway/releases"
NO_KEY = "none"  # for a laptop that cannot use the key of slipway.toml
PEM = ("-----BEGIN", "LS0tLS1CRUdJTi")  # as text, and in base64


@dataclass(frozen=True)
class StageSettings:
    """The store of one stage's releases.

    ``store`` is a folder, relative to the repository, or ``s3://bucket/prefix``. The environment
    variables ``SLIPWAY_STAGING_STORE`` and ``SLIPWAY_PRODUCTION_STORE`` override it. In S3,
    ``profile`` is one of the AWS configuration, ``kms_key`` encrypts (otherwise the bucket's
    default does), and every object gets the ``tags``. ``require`` lists what every release of the
    stage must have; with ``clean_commit``, all that it is built from must be in its commit.
    ``base_environments`` are the digests of the execution environments in the image of every
    endpoint of the stage, as ``slipway image --base-environment`` prints them.
    """

    name: StageName
    store: str = STORE
    profile: str | None = None
    kms_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    require: tuple[str, ...] = ()
    clean_commit: bool = False
    base_environments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signing:
    """The keys of signatures.

    ``key`` signs releases: a URI of securesystemslib, or a PEM file, relative to the repository.
    The environment variable ``SLIPWAY_SIGNING_KEY`` overrides it, and may be the PEM text itself,
    or ``none``. ``trusted`` are the public keys that verification accepts: PEM files, relative to
    the repository, or ``sigstore:?identity=…&issuer=…``.
    """

    key: str | None = field(default=None, repr=False)  # it may be the secret itself
    trusted: tuple[str, ...] = ()


def parse_stages(path: Path, values: Mapping[str, Any]) -> dict[StageName, StageSettings]:
    """Return the settings of both stages, even if ``[release]`` does not name them.

    Raises:
        SlipwayError: a key or a value is unknown.
    """
    if not set(values) <= RELEASE_KEYS:
        raise unknown(path, f"release.{min(set(values) - RELEASE_KEYS)}", RELEASE_KEYS)
    store = values.get("store", STORE)
    return {name: _stage(path, name, store, values.get(name, {})) for name in STAGES}


def parse_signing(path: Path, values: Mapping[str, Any]) -> Signing:
    """Return the settings of signatures.

    Raises:
        SlipwayError: a key or a value is unknown, or the file holds a private key itself.
    """
    if not set(values) <= SIGNING_KEYS:
        raise unknown(path, f"signing.{min(set(values) - SIGNING_KEYS)}", SIGNING_KEYS)
    key, trusted = values.get("key"), values.get("trusted", [])
    where = f"{path}: [signing]"
    if (key is not None and not isinstance(key, str)) or (key and key.lstrip().startswith(PEM)):
        raise SlipwayError(
            "key is neither a URI nor a file's path",
            where=where,
            fix='key = "awskms:alias/…" or a file outside git; a secret belongs in'
            f" {SIGNING_KEY}, and a committed one must be replaced",
        )
    if not isinstance(trusted, list) or not all(isinstance(file, str) for file in trusted):
        raise SlipwayError(
            "trusted is not a list of files", where=where, fix='trusted = ["keys/releases.pub.pem"]'
        )
    chosen = os.environ.get(SIGNING_KEY, "").strip() or key
    return Signing(None if chosen == NO_KEY else chosen, tuple(trusted))


def store_variable(stage: StageName) -> str:
    """Return the environment variable that overrides a stage's store."""
    return f"SLIPWAY_{stage.upper()}_STORE"


def _stage(path: Path, name: StageName, store: str, values: Mapping[str, Any]) -> StageSettings:
    if not set(values) <= STAGE_KEYS:
        raise unknown(path, f"release.{name}.{min(set(values) - STAGE_KEYS)}", STAGE_KEYS)
    require = tuple(values.get("require", ()))
    for requirement in require:
        if requirement not in REQUIREMENTS:
            raise SlipwayError(
                f"{name} requires {requirement!r}",
                where=f"{path}: [release.{name}]",
                fix=f"some of {', '.join(REQUIREMENTS)}",
            )
    clean_commit = values.get("clean_commit", name == "production")
    if not isinstance(clean_commit, bool):
        raise SlipwayError(
            f"clean_commit is {clean_commit!r}",
            where=f"{path}: [release.{name}]",
            fix="true or false",
        )
    environments = values.get("base_environments", [])
    if not isinstance(environments, list) or not all(
        isinstance(digest, str) and ENVIRONMENT.fullmatch(digest) for digest in environments
    ):
        raise SlipwayError(
            f"base_environments is {environments!r:.100}",
            where=f"{path}: [release.{name}]",
            fix="a list of digests, as slipway image --base-environment prints it",
        )
    chosen = os.environ.get(store_variable(name)) or values.get("store") or store
    return StageSettings(
        name,
        chosen,
        values.get("profile"),
        values.get("kms_key"),
        {str(key): str(value) for key, value in values.get("tags", {}).items()},
        require,
        clean_commit,
        tuple(environments),
    )
