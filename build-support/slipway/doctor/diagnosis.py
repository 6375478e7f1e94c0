"""What is found of one subject, and how to get what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "missing"]


@dataclass(frozen=True)
class Diagnosis:
    """The state of one ``subject``; only ``missing`` is an obstacle, with a ``fix``."""

    subject: str
    state: State
    what: str
    fix: str | None = None
