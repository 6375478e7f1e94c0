"""Public reports about Triton, each rebuilt as a small model folder.

Each folder of ``fixtures/reports`` holds a model's directories as in ``models/``, as those of the
:mod:`tests.check.corpus` do, and ``report.toml``:

- ``situation``, in one sentence, and ``sources``, the reports as ``owner/repository#number``;
- ``found``, the errors of the check as ``RULE path[:line[:column]]`` below the folder, and
  ``warned``, warnings that belong to the mistake;
- ``server``, what the real server does without a check: one of :data:`VERDICTS`, and ``message``,
  a part of its error.

``requests.json`` holds the requests, and ``answers.json`` the right answers of a valid model.
``others/`` holds model folders that are served at the same time.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.check import corpus
from tests.check.fixture_repositories import FIXTURES
from tests.check.real_server import Outcome, ServerRequest, as_json

REPORTS = FIXTURES / "reports"
ABOUT, ANSWERS, OTHERS = "report.toml", "answers.json", "others"

REFUSED = "refused"  # the load fails
FAILS = "fails"  # the load answers 200, and each request is an error, or has no answer
CHANCE = "chance"  # which model answers depends on the order of directories
NOT_HERE = "not here"  # the local server lacks the backend
RIGHT = "answers"
VERDICTS = (RIGHT, REFUSED, FAILS, CHANCE, NOT_HERE)


@dataclass(frozen=True)
class Report:
    """One folder: see the module."""

    name: str
    situation: str
    sources: tuple[str, ...]
    found: tuple[str, ...]
    warned: tuple[str, ...]
    server: str
    message: str

    @property
    def source(self) -> Path:
        """Return the fixture folder."""
        return REPORTS / self.name

    @property
    def requests(self) -> list[ServerRequest]:
        """Return the requests, in their order."""
        return [
            as_json(request) for request in json.loads((self.source / "requests.json").read_text())
        ]

    @property
    def answers(self) -> list[dict[str, Any]]:
        """Return the right answers: lists of numbers by output."""
        content: list[dict[str, Any]] = json.loads((self.source / ANSWERS).read_text())
        return content

    def make(self, root: Path) -> tuple[Path, list[Path]]:
        """Write the repository ``root``; return the model folder and the others of ``others/``."""
        folder = corpus.write(self.source, root, (ABOUT, ANSWERS, OTHERS))
        others = sorted((self.source / OTHERS).glob("*/"))
        return folder, [corpus.write(other, root) for other in others]


@cache
def reports() -> dict[str, Report]:
    """Return all reports by the names of their folders."""
    return {path.name: _load(path) for path in sorted(REPORTS.glob("*/"))}


def judge(outcome: Outcome) -> tuple[str, str]:
    """Return the verdict on a real server's outcome, and its first error."""
    if outcome.refused:
        return REFUSED, outcome.refused
    errors = [answer for answer in outcome.answers if isinstance(answer, str)]
    return (FAILS, errors[0]) if errors else (RIGHT, "")


def _load(folder: Path) -> Report:
    content = tomllib.loads((folder / ABOUT).read_text(encoding="utf-8"))
    report = Report(
        name=folder.name,
        situation=content.pop("situation"),
        sources=tuple(content.pop("sources")),
        found=tuple(content.pop("found")),
        warned=tuple(content.pop("warned", ())),
        server=content.pop("server"),
        message=content.pop("message", ""),
    )
    assert not content, f"{folder.name}: unknown {', '.join(content)}"
    assert report.server in VERDICTS, f"{folder.name}: {report.server!r} is not a verdict"
    return report
