"""What a simulation takes to be so, and where each figure is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal["given", "measured", "guessed", "documented"]


@dataclass(frozen=True)
class Assumption:
    """One figure or rule: given by options, measured, documented by AWS, or guessed."""

    what: str
    value: str
    origin: Origin


RULES = (
    Assumption(
        "which instance gets a request",
        "one that has the model; the least busy of several",
        "documented",
    ),
    Assumption(
        "where a model is loaded first",
        "where fewest are being loaded, then where most memory is free",
        "guessed",
    ),
    Assumption(
        "what is unloaded", "the least recently used model that serves no request", "documented"
    ),
    Assumption("unloaded models", "stay on the disk until it is full", "documented"),
    Assumption("downloads ahead of loads", "8 on an instance", "guessed"),
    Assumption("a wait of more than 60 s", "is answered 429, and not sent again", "documented"),
    Assumption("requests on an instance", "first come, first served, one core each", "guessed"),
    Assumption("loads", "take no core from requests, and hold up none", "guessed"),
    Assumption("instances", "none fails, and no release replaces a model", "guessed"),
)
