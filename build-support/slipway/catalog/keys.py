"""Where things lie in a release store. Each stage (``staging``, ``production``) has

- ``<stage>/models/<target model>``: the artifact; the endpoint's prefix is ``<stage>/models/``;
- ``<stage>/catalog/<name>/releases/<target model>.json``: its manifest, interface, digest, commit;
- ``<stage>/catalog/<name>/pruned/<target model>.json``: the same, once the artifact is removed;
- ``<stage>/catalog/<name>/evidence/<sha256>/<kind>.json``: what is attested of these bytes;
- ``<stage>/catalog/<name>/history/<time>-<action>.json``: what was done, by whom;
- ``<stage>/catalog/<name>/alias.json``: the target models that the name stands for.
"""

from __future__ import annotations

import json
import re
from typing import Literal

from slipway.errors import SlipwayError
from slipway.settings.release import StageName

Stage = StageName
RECORD = ".json"
LONGEST = 1024  # characters of a target model (AWS, InvokeEndpoint)
# Triton's Python backend makes the target model's name, unquoted, a part of a command line that a
# shell reads (stub_launcher.cc; seen on 24.10: `$(…)` in it is run, and with `<` a load never returns)
HARMLESS = re.compile(r"[A-Za-z0-9._+=@,:/-]+")
# provenance and tests are envelopes around in-toto statements, sbom is a CycloneDX document
Kind = Literal["provenance", "tests", "sbom"]


def artifact(stage: Stage, target: str) -> str:
    """The key of a target model's artifact."""
    return f"{models(stage)}{target}"


def catalog(stage: Stage) -> str:
    """What the keys of every name's records and alias begin with."""
    return f"{stage}/catalog/"


def models(stage: Stage) -> str:
    """What the keys of every artifact begin with: the endpoint's prefix."""
    return f"{stage}/models/"


def wrong_target(target: str) -> str | None:
    """Why ``target`` cannot be a key below the endpoint's prefix, said of it; ``None`` if it can."""
    if len(target) > LONGEST:
        return f"has {len(target)} characters, at most {LONGEST} are allowed"
    if not HARMLESS.fullmatch(target):
        return "holds other characters than letters, digits and . _ + = @ , : / -"
    # a part that begins with a dot leads elsewhere, or to a file that is still being written
    if any(not part or part.startswith(".") for part in target.split("/")):
        return f"{target!r} is no key below the endpoint's prefix"
    return None


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


def damaged_record(key: str, error: Exception) -> SlipwayError:
    """Return the error for a release record that cannot be parsed."""
    return SlipwayError(
        f"the record of a release is damaged: {error!r}",
        where=key,
        fix="remove it, and publish the artifact again",
    )
