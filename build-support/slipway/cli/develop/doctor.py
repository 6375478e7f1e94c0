"""``slipway doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from slipway import doctor as library
from slipway import settings

MARKS = {"ok": "[green]✓[/]", "note": "[yellow]•[/]", "missing": "[red]✗[/]"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON list of findings.")
def doctor(as_json: bool) -> int:
    """Say what Slipway found here, and what is missing, with its fix.

    Example: slipway doctor
    """
    found = []
    console = Console(highlight=False, soft_wrap=True)
    for finding in library.examine(settings.load(Path.cwd())):
        found.append(finding)
        if not as_json:
            text = f"{finding.subject:<14} {escape(finding.what)}"
            console.print(f"{MARKS[finding.state]} {text}")
            if finding.fix:
                console.print(f"  fix: {escape(finding.fix)}")
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=1))
    return int(any(finding.state == "missing" for finding in found))
