"""Render text from templates: a missing value is an error, a line of logic leaves no empty line."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HTML = ".html.j2"  # the suffix of templates of HTML


def environment(folder: Path) -> Environment:
    """Return Jinja for the templates in ``folder``; those of HTML escape their values."""
    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=lambda name: name is not None and name.endswith(HTML),
    )
