"""Decide how a file is converted: its format, what serves it, the environment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.formats.format import Choice, Format, Options, Recognised
from slipway.formats.recognise import recognise
from slipway.formats.sandbox.run import Limits
from slipway.formats.serving import LOCKS

SEED = 0


@dataclass(frozen=True)
class Demands:
    """What the user asks of a conversion beside its options.

    ``rows`` is a file of reference rows, which are drawn with ``seed`` if there is none.
    ``tolerance`` replaces the format's, ``lock`` the format's packages.
    """

    rows: Path | None = None
    tolerance: float | None = None
    seed: int = SEED
    lock: Path | None = None
    limits: Limits | None = None


@dataclass(frozen=True)
class Task:
    """A recognised file, and all that was decided about it."""

    source: Path
    form: Format
    recognised: Recognised
    choice: Choice
    options: Options
    demands: Demands
    lock: Path


def plan(source: Path, options: Options, demands: Demands) -> Task:
    """Recognise ``source``, and decide by what it is served and converted.

    Raises:
        SlipwayError: see :func:`recognise`; or its format has no such backend.
    """
    form, recognised = recognise(source)
    choice = form.choose(recognised, options.triton)
    options = replace(options, backend=options.backend or choice.backend)
    ways = {choice.backend: choice.reason, **choice.others}
    if options.backend not in ways:
        text = "\n".join(f"  {name}: {reason}" for name, reason in ways.items())
        raise SlipwayError(
            f"{form.title} is not served by {options.backend}; what serves it:\n{text}",
            where=str(source),
            fix=f"--backend {choice.backend}",
        )
    lock = demands.lock or LOCKS / form.requirements(recognised, options.backend)
    return Task(source, form, recognised, choice, options, demands, lock)
