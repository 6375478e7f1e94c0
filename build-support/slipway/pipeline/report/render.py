"""A report as Markdown for GitLab, and as one page of HTML."""

from __future__ import annotations

import re
from pathlib import Path

from markupsafe import Markup

from slipway import templates
from slipway.pipeline.report.build import Report
from slipway.pipeline.report.view.elements import Cell
from slipway.pipeline.report.view.view import view

TEMPLATES = Path(__file__).parent / "templates"
# by this line a report finds its own note on a merge request
MARKER = "<!-- slipway report -->"
SIGNS = {"note": "⚠️ ", "bad": "❌ "}
# what GitLab gives a meaning to within a line; references (@, #, !, …) can be escaped as well:
# https://docs.gitlab.com/user/markdown/#escape-characters
SPECIAL = re.compile(r"[\\`*_\[\]<>|~$@#!^{}]|[&%](?=[\w\"#])")
LIST = re.compile(r"^(?:(\d+)([.)])|([-+]))(?= |$)")


def markdown(report: Report, *, brief: bool = False) -> str:
    """For a note on a merge request; ``brief`` without the details of each model."""
    return _rendered("report.md.j2", report, brief=brief)


def html(report: Report) -> str:
    """One file that needs nothing else, and asks nobody for anything."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return _rendered("report.html.j2", report, style=Markup(style))


def _rendered(name: str, report: Report, **more: object) -> str:
    environment = templates.environment(TEMPLATES)
    environment.filters |= {"md": escaped, "mdcode": code_span, "mdcell": cell, "fence": fence}
    return environment.get_template(name).render(view=view(report), marker=MARKER, **more)


def escaped(text: str) -> str:
    """``text`` as it is, on one line of Markdown."""
    line = SPECIAL.sub(lambda found: "\\" + found[0], " ".join(text.split()))
    return LIST.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", line)


def code_span(text: str) -> str:
    """``text`` in fixed width; bars are escaped, as in a table's cell they have to be."""
    line = " ".join(text.split()).replace("|", "\\|")
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def cell(value: Cell) -> str:
    """A cell of a table, or a line."""
    text = code_span(value.text) if value.code else escaped(value.text)
    return SIGNS.get(value.tone, "") + text


def fence(text: str) -> str:
    """Enough backticks to hold ``text``."""
    return "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
