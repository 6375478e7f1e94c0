"""What the real server does with each bad fixture when nobody checks it: ``observed.json``.

``python -m check.observations`` writes it anew.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from check import fixture_repositories as repositories
from check.real_server import Outcome, RealServer, as_arrays, difference
from slipway.server.client import Array

OBSERVED = Path(__file__).with_name("observed.json")
SERVERS = 3
LONGEST = 300
STEP = re.compile(
    r"^(400 )load failed for model 'MODEL': ensemble 'MODEL' depends on ('\w+') which has no loaded"
    r" version\. Model '\w+' loading failed with error: "
)
RIGHT = "the answer is right"
WORDS: Array = np.array([[b"area"], [b"open sea"]], dtype=np.object_)

type Observation = dict[str, str]
"""``load`` and, where that is 200, ``invoke``: what the server answers."""


def observe(names: Iterable[str]) -> dict[str, Observation]:
    """Each fixture alone on a server, as an endpoint starts it: load the model, ask it once."""
    with tempfile.TemporaryDirectory(prefix="slipway-observations-") as name:
        work = Path(name)
        with ThreadPoolExecutor(SERVERS) as pool:
            right = _outcome("good", work)
            chosen = sorted(names)
            outcomes = pool.map(lambda name: _outcome(name, work), chosen)
            return {name: _shown(right, got) for name, got in zip(chosen, outcomes)}


def _outcome(name: str, work: Path) -> Outcome:
    folder = repositories.make(name, work / name)
    with RealServer(work / f"server_{name}") as server:
        for other in sorted(path for path in folder.parent.iterdir() if path != folder):
            server.outcome(other, [])
        return server.outcome(folder, [as_arrays({"WORDS": WORDS})])


def _shown(right: Outcome, got: Outcome) -> Observation:
    if got.refused:
        return {"load": _short(got.refused), "invoke": ""}
    return {"load": "200", "invoke": _short(difference(right, got)) or RIGHT}


def _short(message: str) -> str:
    """The first line, of a composing model's failure its own words."""
    line = (message.strip().splitlines() or [""])[0].rstrip(";")
    line = STEP.sub(r"\1\2: ", line)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def main() -> None:
    """Write :data:`OBSERVED`."""
    text = json.dumps(observe(repositories.names()), indent=1, ensure_ascii=False)
    OBSERVED.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
