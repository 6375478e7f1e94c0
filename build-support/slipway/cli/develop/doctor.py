"""``slipway doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from slipway.cli.options import json_option

MARKS = {"ok": "[green]✓[/]", "note": "[yellow]•[/]", "missing": "[red]✗[/]"}


@click.command()
@json_option("Print a JSON list of findings.")
def doctor(as_json: bool) -> int:
    """Show what Slipway finds on this machine and what is missing.

    Each missing part comes with its fix. Exits with 1 if a part is missing.

    Example: slipway doctor
    """
    from rich.console import Console
    from rich.markup import escape

    from slipway import settings
    from slipway.doctor.examine import examine

    findings = []
    console = Console(highlight=False, soft_wrap=True)
    for finding in examine(settings.load(Path.cwd())):
        findings.append(finding)
        if not as_json:
            text = f"{finding.subject:<14} {escape(finding.what)}"
            console.print(f"{MARKS[finding.state]} {text}")
            if finding.fix:
                console.print(f"  fix: {escape(finding.fix)}")
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    return int(any(finding.state == "missing" for finding in findings))
