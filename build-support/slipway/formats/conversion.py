"""A conversion: what was recognised, how it is served, and how close its answers are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.formats.format import Arrays, Choice, Converted, Options, Recognised


@dataclass(frozen=True)
class Conversion:
    """A file of a framework, converted, with answers that were found equal to the framework's.

    ``format`` is the name of the format, ``lock`` that of the conversion's packages, with hashes.
    ``folder`` holds ``converted.files``. ``rows`` are the reference rows by the names of
    ``converted.inputs``, with the batch first; ``drawn``: they are not the user's. ``answers`` are
    the framework's, by the names of ``converted.outputs``. ``difference`` is the largest one
    between them and what is served, relative to the larger of 1 and the answer's amount; ``None``
    if what is served cannot run here (a note says so). ``isolation`` says what kept the framework
    from the network, from files and from other processes; machines differ in it, records do not.

    ``record`` is for the manifest, of JSON's types, and equal for equal conversions: "format",
    "about", "backend", "source" (name, sha256, size), "options", "versions", "lock" (sha256),
    "files" (name: sha256), "rows" (count, drawn), "difference", "tolerance", "repairs", "notes".
    """

    source: Path
    format: str
    recognised: Recognised
    choice: Choice
    options: Options
    lock: Path
    folder: Path
    converted: Converted
    rows: Arrays
    drawn: bool
    answers: Arrays
    difference: float | None
    record: Mapping[str, Any]
    isolation: str = ""
