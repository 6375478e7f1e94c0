"""A report as Markdown for GitLab, and as one page of HTML."""

from __future__ import annotations

import re
from pathlib import Path

from markupsafe import Markup

from slipway import templates
from slipway.pipeline.report.build import Report
from slipway.pipeline.report.view.elements import Cell
from slipway.pipeline.report.view.view import build_view

TEMPLATES = Path(__file__).parent / "templates"
# the line by which a report finds its own note on a merge request
MARKER = "<!-- slipway report -->"
SIGNS = {"note": "⚠️ ", "bad": "❌ "}
# the characters with a meaning to GitLab within a line, references (@, #, !, …) included:
# https://docs.gitlab.com/user/render_markdown/#escape-characters
SPECIAL = re.compile(r"[\\`*_\[\]<>|~$@#!^{}]|[&%](?=[\w\"#])")
LIST = re.compile(r"^(?:(\d+)([.)])|([-+]))(?= |$)")


def render_markdown(report: Report, *, brief: bool = False) -> str:
    """Return the text for a note on a merge request; ``brief`` omits the details of each model."""
    return _render("report.md.j2", report, brief=brief)


def render_html(report: Report) -> str:
    """Return one self-contained page, which loads nothing from the network."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return _render("report.html.j2", report, style=Markup(style))


def _render(name: str, report: Report, **more: object) -> str:
    environment = templates.environment(TEMPLATES)
    environment.filters |= {
        "md": escape_markdown,
        "mdcode": code_span,
        "mdcell": format_cell,
        "fence": fence,
    }
    return environment.get_template(name).render(view=build_view(report), marker=MARKER, **more)


def escape_markdown(text: str) -> str:
    """Return ``text`` on one line of Markdown, with nothing in it interpreted."""
    line = SPECIAL.sub(lambda match: "\\" + match[0], " ".join(text.split()))
    return LIST.sub(lambda match: f"{match[1] or ''}\\{match[2] or match[3]}", line)


def code_span(text: str) -> str:
    """Return ``text`` in fixed width; bars are escaped, as a table's cell requires."""
    line = " ".join(text.split()).replace("|", "\\|")
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def format_cell(value: Cell) -> str:
    """Return ``value`` as a table's cell, or as a line."""
    text = code_span(value.text) if value.code else escape_markdown(value.text)
    return SIGNS.get(value.tone, "") + text


def fence(text: str) -> str:
    """Return enough backticks to fence ``text``."""
    return "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
