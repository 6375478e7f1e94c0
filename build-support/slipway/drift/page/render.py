"""A check for drift as one page of HTML."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from slipway import templates
from slipway.drift.page.view import build_view
from slipway.drift.verdict import DriftCheck

TEMPLATES = Path(__file__).parent / "templates"


def render_page(check: DriftCheck) -> str:
    """Return one self-contained page with pictures, which loads nothing from the network."""
    style = (TEMPLATES / "drift.css").read_text(encoding="utf-8")
    template = templates.environment(TEMPLATES).get_template("drift.html.j2")
    return template.render(view=build_view(check), style=Markup(style))
