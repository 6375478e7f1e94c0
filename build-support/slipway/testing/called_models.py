"""Models that the code of others calls by name (BLS), in an unpacked artifact."""

from __future__ import annotations

import re
from pathlib import Path

from slipway.model.folder import ENSEMBLE
from slipway.triton import config

RELEASE = re.compile(r"(?<!\d)\d+[._-]\d+[._-]\d+(?!\d)")


def are_named_by_release(folder: Path) -> bool:
    """Return whether code calls models in ``folder``, and the name of each has a release version.

    Calls know no namespace: two copies of one release would answer each other's calls, and two
    releases with such names do not. Without such names, two copies fail as two releases would.
    """
    paths = sorted(folder.glob(f"*/{config.FILE_NAME}"))
    configs = {path.parent.name: config.load_config(path) for path in paths}
    steps = {
        step.model_name for parsed in configs.values() for step in parsed.ensemble_scheduling.step
    }
    served = {name for name, parsed in configs.items() if parsed.platform == ENSEMBLE}
    called = set(configs) - steps - served if served else set()
    return bool(called) and all(RELEASE.search(name) for name in called)
