"""Where things lie in a release store. Each stage (``staging``, ``production``) has

- ``<stage>/models/<target model>``: the artifact; the endpoint's prefix is ``<stage>/models/``;
- ``<stage>/catalog/<name>/releases/<target model>.json``: its manifest, interface, digest, commit;
- ``<stage>/catalog/<name>/pruned/<target model>.json``: the same, once the artifact was removed;
- ``<stage>/catalog/<name>/evidence/<sha256>/<kind>.json``: what is attested of these bytes;
- ``<stage>/catalog/<name>/history/<time>-<action>.json``: what was done, by whom;
- ``<stage>/catalog/<name>/alias.json``: the target models that the name stands for.
"""

from __future__ import annotations

import json
from typing import Literal

from slipway.settings.release import StageName

Stage = StageName
RECORD = ".json"
# provenance and tests are envelopes around in-toto statements, sbom is a CycloneDX document
Kind = Literal["provenance", "tests", "sbom"]


def artifact(stage: Stage, target: str) -> str:
    """The key of a target model's artifact."""
    return f"{stage}/models/{target}"


def catalog(stage: Stage) -> str:
    """What the keys of every name's records and alias begin with."""
    return f"{stage}/catalog/"


def records(stage: Stage, name: str) -> str:
    """What the keys of a name's release records begin with."""
    return f"{catalog(stage)}{name}/releases/"


def record(stage: Stage, name: str, target: str) -> str:
    """The key of one release's record."""
    return f"{records(stage, name)}{target}{RECORD}"


def pruned(stage: Stage, name: str, target: str) -> str:
    """The key of the record of a release whose artifact was removed: its version stays taken."""
    return f"{catalog(stage)}{name}/pruned/{target}{RECORD}"


def evidence(stage: Stage, name: str, sha256: str, kind: Kind) -> str:
    """The key of what is attested of an artifact's bytes."""
    return f"{catalog(stage)}{name}/evidence/{sha256}/{kind}.json"


def history(stage: Stage, name: str) -> str:
    """What the keys of a name's events begin with."""
    return f"{catalog(stage)}{name}/history/"


def alias(stage: Stage, name: str) -> str:
    """The key of a name's alias."""
    return f"{catalog(stage)}{name}/alias.json"


def dump(value: object) -> bytes:
    """A record's or alias's bytes: equal for equal values."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
