"""What was measured, kept in ``.slipway/tune``, so that a repeated run continues."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.files import atomic_write
from slipway.tune.candidate import Candidate, as_json, from_json
from slipway.tune.sample import Measured, parse_measured

FORMAT = 1


@dataclass
class State:
    """The measurements of one artifact under equal conditions, in the file ``path``.

    ``judged`` says by changes of precision why they are refused, ``None`` if they are not.
    """

    path: Path
    measured: dict[Candidate, Measured] = field(default_factory=dict)
    judged: dict[Candidate, str | None] = field(default_factory=dict)

    def save(self) -> None:
        """Write everything; a killed run leaves what was there before."""
        document = {
            "format": FORMAT,
            "measured": [
                {"candidate": as_json(candidate), **measured.dump()}
                for candidate, measured in self.measured.items()
                if not measured.passing
            ],
            "judged": [
                {"candidate": as_json(candidate), "objection": objection}
                for candidate, objection in self.judged.items()
            ],
        }
        with atomic_write(self.path) as temporary:
            temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def load_state(path: Path) -> State:
    """Return what is kept in ``path``: nothing, if it is absent, damaged or of another format."""
    state = State(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            return state
        for entry in document["measured"]:
            state.measured[from_json(entry["candidate"])] = parse_measured(entry)
        for entry in document["judged"]:
            state.judged[from_json(entry["candidate"])] = entry["objection"]
    except (OSError, ValueError, KeyError, TypeError):
        return State(path)
    return state


def state_file(root: Path, name: str, conditions: Sequence[Any]) -> Path:
    """Return the file of measurements of ``name`` under ``conditions``, which are JSON's values:
    other ones have another file."""
    text = json.dumps([FORMAT, *conditions])
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return root / ".slipway" / "tune" / f"{name}-{digest}.json"
