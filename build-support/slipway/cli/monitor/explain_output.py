"""What ``slipway explain`` prints and writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.options import write_output
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.explain.explanation import Explanation
    from slipway.explain.summary import Summary

ENDINGS = (".png", ".svg", ".html", ".json")


def check_outputs(outputs: Sequence[Path], *, summarizes: bool) -> None:
    """Check the names of files before anything is asked.

    Raises:
        SlipwayError: an ending is unknown, or a folder does not exist.
    """
    endings = [ending for ending in ENDINGS if not summarizes or ending != ".html"]
    for path in outputs:
        if path.suffix.lower() not in endings:
            raise SlipwayError(
                f"{'no summary' if summarizes else 'nothing'} is written as"
                f" {path.suffix or 'a file without an ending'}",
                where=str(path),
                fix=f"a name that ends with one of: {', '.join(endings)}",
            )
        if not path.parent.is_dir():
            raise SlipwayError("no such folder", where=str(path.parent), fix="create it first")


def write_explanation(
    explanation: Explanation,
    name: str,
    target: str,
    row: Mapping[str, Any],
    outputs: Sequence[Path],
    *,
    as_json: bool,
    color: bool,
) -> None:
    """Print an explanation, and write it to files.

    Raises:
        SlipwayError: a file cannot be written.
    """
    from slipway.explain.render.figure import draw
    from slipway.explain.render.page import render_page
    from slipway.explain.render.text import render_text

    document = {"model": name, "target": target, **explanation.dump()}
    for path in outputs:
        ending = path.suffix.lower()
        if ending == ".html":
            _write(path, render_page(explanation, name, row).encode())
        elif ending == ".json":
            _write(path, _json(document))
        else:
            _write(path, draw(explanation, name, row, ending[1:]))
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    text = ""
    if explanation.kind == "text":
        text = row[explanation.input].ravel()[0].decode(errors="replace")
    click.echo(render_text(explanation, name, text=text, color=color), nl=False, color=color)


def write_summary(summary: Summary, name: str, outputs: Sequence[Path], *, as_json: bool) -> None:
    """Print a summary, and write it to files.

    Raises:
        SlipwayError: a file cannot be written.
    """
    from slipway.explain.render.summary import draw_summary, render_summary

    document = {"model": name, **summary.dump()}
    for path in outputs:
        ending = path.suffix.lower()
        _write(
            path,
            _json(document) if ending == ".json" else draw_summary(summary, name, ending[1:]),
        )
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        click.echo(render_summary(summary, name), nl=False)


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    write_output(path, content)
    click.echo(str(path), err=True)
