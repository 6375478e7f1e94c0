"""Text made from templates: what is missing is an error, and lines of logic leave none behind."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HTML = ".html.j2"  # what a template's name ends in


def environment(folder: Path) -> Environment:
    """Jinja for the templates in ``folder``; those of HTML escape what is put in."""
    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=lambda name: name is not None and name.endswith(HTML),
    )
