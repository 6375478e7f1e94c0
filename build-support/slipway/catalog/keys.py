"""The keys of a release store. Each stage (``staging``, ``production``) has

- ``<stage>/models/<target model>``: the artifact; the endpoint's prefix is ``<stage>/models/``;
- ``<stage>/catalog/<name>/releases/<target model>.json``: its manifest, interface, digest, commit;
- ``<stage>/catalog/<name>/claims/<target model>.json``: the same, before the artifact is there;
- ``<stage>/catalog/<name>/pruned/<target model>.json``: the same, after the artifact was removed;
- ``<stage>/catalog/<name>/evidence/<sha256>/<kind>.json``: the evidence about these bytes;
- ``<stage>/catalog/<name>/history/<time>-<action>.json``: what was done, and by whom;
- ``<stage>/catalog/<name>/alias.json``: the target models that the name serves;
- ``<stage>/catalog/<name>.index.json``: the same and more, for an overview; never the truth;
- ``<stage>/catalog/index.json``: copies of those of all names, each with the version it had.

``<stage>/catalog/conditions.json`` has no meaning: it is written to test the store's server.
"""

from __future__ import annotations

import json
import re
from typing import Literal

from slipway.errors import SlipwayError
from slipway.settings.release import StageName

RECORD = ".json"
INDEX = ".index.json"  # below no name: a Slipway that does not know it takes it for no model
MAX_TARGET = 1024  # characters of a target model (AWS, InvokeEndpoint)
MAX_HOSTNAME = 63  # characters of a container's host name (AWS, ContainerDefinition)
# Triton's Python backend puts the target model's name, unquoted, into a command line that a shell
# reads (stub_launcher.cc; seen on 24.10: `$(…)` in it is run, and with `<` a load never returns)
SAFE_TARGET = re.compile(r"[A-Za-z0-9._+=@,:/-]+")
# sbom is a CycloneDX document, the others are envelopes around in-toto statements
Kind = Literal["provenance", "tests", "training", "sbom"]


def artifact(stage: StageName, target: str) -> str:
    """Return the key of a target model's artifact."""
    return f"{models(stage)}{target}"


def catalog(stage: StageName) -> str:
    """Return the prefix of the keys of every name's records and alias."""
    return f"{stage}/catalog/"


def models(stage: StageName) -> str:
    """Return the prefix of the keys of every artifact: the endpoint's prefix."""
    return f"{stage}/models/"


def target_problem(target: str) -> str | None:
    """Return why ``target`` cannot be a key below the endpoint's prefix, as the rest of a sentence
    about it; ``None`` if it can."""
    if len(target) > MAX_TARGET:
        return f"has {len(target)} characters, at most {MAX_TARGET} are allowed"
    if not SAFE_TARGET.fullmatch(target):
        return "holds other characters than letters, digits and . _ + = @ , : / -"
    # a part that begins with a dot leads elsewhere, or to a file that is being written
    if any(not part or part.startswith(".") for part in target.split("/")):
        return f"{target!r} is not a key below the endpoint's prefix"
    return None


def hostname(target: str) -> str:
    """Return the host name of the container that serves the release ``target``, on an endpoint of
    several containers: its name and version, of letters, digits and hyphens.

    Raises:
        SlipwayError: it has more characters than SageMaker allows.
    """
    name = re.sub(r"[^A-Za-z0-9]+", "-", target.removesuffix(".tar.gz")).strip("-")
    if len(name) > MAX_HOSTNAME:
        raise SlipwayError(
            f"a container's host name has at most {MAX_HOSTNAME} characters,"
            f" {name} has {len(name)}",
            where=target,
            fix="give the model's folder a shorter name",
        )
    return name


def records(stage: StageName, name: str) -> str:
    """Return the prefix of the keys of a name's release records."""
    return f"{catalog(stage)}{name}/releases/"


def record(stage: StageName, name: str, target: str) -> str:
    """Return the key of one release's record."""
    return f"{records(stage, name)}{target}{RECORD}"


def tombstones(stage: StageName, name: str) -> str:
    """Return the prefix of the keys of a name's tombstones."""
    return f"{catalog(stage)}{name}/pruned/"


def tombstone(stage: StageName, name: str, target: str) -> str:
    """Return the key of the record of a release whose artifact was removed."""
    return f"{tombstones(stage, name)}{target}{RECORD}"


def claim(stage: StageName, name: str, target: str) -> str:
    """Return the key of the record of the release that is the first to bring a target model."""
    return f"{catalog(stage)}{name}/claims/{target}{RECORD}"


def evidence(stage: StageName, name: str, sha256: str, kind: Kind) -> str:
    """Return the key of one document of evidence about an artifact's bytes."""
    return f"{catalog(stage)}{name}/evidence/{sha256}/{kind}.json"


def history(stage: StageName, name: str) -> str:
    """Return the prefix of the keys of a name's events."""
    return f"{catalog(stage)}{name}/history/"


def alias(stage: StageName, name: str) -> str:
    """Return the key of a name's alias."""
    return f"{catalog(stage)}{name}/alias.json"


def index_entry(stage: StageName, name: str) -> str:
    """Return the key of a name's line in the index."""
    return f"{catalog(stage)}{name}{INDEX}"


def index_snapshot(stage: StageName) -> str:
    """Return the key of the copies of all lines of the index."""
    return f"{catalog(stage)}index.json"


def conditions(stage: StageName) -> str:
    """Return the key that is written to see whether a store keeps conditions. No name has it."""
    return f"{catalog(stage)}conditions.json"


def dump_json(value: object) -> bytes:
    """Return a record or an alias as JSON: equal bytes for equal values."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def damaged_record(key: str, error: Exception) -> SlipwayError:
    """Return the error for a release record that cannot be parsed."""
    return SlipwayError(
        f"the record of a release is damaged: {error!r}",
        where=key,
        fix="remove it, and publish the artifact again",
    )
