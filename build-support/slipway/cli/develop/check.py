"""``slipway check``."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from slipway import check as library
from slipway import settings
from slipway.check import RULES, Finding, Location
from slipway.check import report as reports
from slipway.check.model_under_check import ModelRepository
from slipway.cli.progress import working
from slipway.errors import SlipwayError
from slipway.files import written_aside
from slipway.settings import Settings
from slipway.triton import config

PAGES = "docs/rules"
FEW = 20  # models, checked before a reader wonders


@click.command()
@click.argument(
    "models", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[MODELS]..."
)
@click.option(
    "--format", type=click.Choice(list(reports.FORMATS)), default="text", show_default=True
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report to this file; the text is printed all the same.",
)
@click.option("--fix", is_flag=True, help="Apply the fixes that are safe, and show the diff.")
@click.option("--strict", is_flag=True, help="Fail on warnings as well.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules.")
@click.option("--explain", metavar="RULE", help="Say why there is this rule, and its source.")
def check(
    models: tuple[Path, ...],
    format: str,
    output: Path | None,
    fix: bool,
    strict: bool,
    list_rules: bool,
    explain: str | None,
) -> int:
    """Find the mistakes in MODELS, or in all models, without a server.

    MODELS are model folders, or single config.pbtxt files, of which only the config is looked at.
    Exits with 1 if there is an error.

    "# slipway: ignore=RULE reason" behind or above a line silences that rule there.

    \b
    --format json    {"models", "errors", "warnings", "findings": [{"rule", "name",
                     "severity", "path", "line", "column", "what", "why", "source",
                     "fix", "mendable"}]}; line and column count from 1, 0: the whole;
                     paths are seen from the current directory
    --format gitlab  GitLab's code quality report
    --format sarif   SARIF 2.1.0

    Example: slipway check models/screen_detection
    """
    if list_rules:
        return _list()
    if explain:
        return _explain(explain)
    configured = settings.load(Path.cwd())
    chosen = [folder for path in models for folder in _meant(path, configured)] or _all(configured)
    bugs: dict[Path, Exception] = {}

    def find() -> dict[Path, list[Finding]]:
        bugs.clear()
        with working("checking") if len(chosen) > FEW else nullcontext():
            return _checked(chosen, configured, bugs)

    found: Mapping[Path, list[Finding]] = find()
    shown = format == "text" or output is not None
    if fix:
        found = _fix_findings(find, err=not shown)
    report = reports.CheckReport(configured.root, found)
    if shown:
        click.echo(reports.render_report(report, "text"), nl=False)
    if output is not None:
        with written_aside(output) as aside:
            aside.write_text(click.unstyle(reports.render_report(report, format)), encoding="utf-8")
    elif not shown:
        click.echo(reports.render_report(report, format), nl=False)
    if bugs:
        first = next(iter(bugs.values()))
        first.add_note(f"while checking {', '.join(map(str, bugs))}")
        raise first
    return int(bool(report.count("error") or (strict and report.findings)))


def _checked(
    chosen: Sequence[Path], configured: Settings, bugs: dict[Path, Exception]
) -> dict[Path, list[Finding]]:
    """The findings by what was looked at; what breaks in one model does not hide the others."""
    repository = ModelRepository(configured)
    found: dict[Path, list[Finding]] = {}
    told: set[tuple[Location, str, str]] = set()
    for path in chosen:
        try:
            if path.is_dir():
                findings = library.check_folder(path, repository)
            else:
                findings = library.check_config(path, configured)
        except Exception as error:
            bugs[path] = error
            continue
        # what is wrong in slipway.toml is wrong for every model, and told once
        found[path] = [finding for finding in findings if finding.key not in told]
        told.update(finding.key for finding in findings)
    return found


def _fix_findings(
    find: Callable[[], Mapping[Path, list[Finding]]], *, err: bool
) -> Mapping[Path, list[Finding]]:
    from slipway.check.fix import apply_fixes

    last: Mapping[Path, list[Finding]] = {}

    def findings() -> list[Finding]:
        nonlocal last
        last = find()
        return [finding for found in last.values() for finding in found]

    result = apply_fixes(findings)
    diff = result.diff()
    if diff:
        click.echo("".join(map(_coloured, diff.splitlines(keepends=True))), err=err)
    for line in result.refused:
        click.echo(line, err=True)
    return last


def _coloured(line: str) -> str:
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return click.style(line, fg=colour) if colour else line


def _all(configured: Settings) -> list[Path]:
    folders = ModelRepository(configured).folders
    if not folders:
        raise SlipwayError("no model in it", where=str(configured.root / "models"))
    return [_from_here(folder) for folder in folders]


def _meant(path: Path, configured: Settings) -> list[Path]:
    if path.resolve() in (configured.root, configured.root / "models"):
        return _all(configured)
    if (path / config.FILE_NAME).is_file():
        raise SlipwayError(
            "one Triton model of a folder",
            where=str(path),
            fix=f"name its folder {path.parent}, or {path / config.FILE_NAME}",
        )
    if path.is_file() and path.suffix != Path(config.FILE_NAME).suffix:
        raise SlipwayError(
            "no model folder", where=str(path), fix=f"name a folder or a {config.FILE_NAME}"
        )
    return [_from_here(path)]


def _from_here(path: Path) -> Path:
    """A path as one would type it, so that findings can be clicked and copied."""
    relative = Path(os.path.relpath(path))
    return path if ".." in relative.parts else relative


def _list() -> int:
    from rich.console import Console
    from rich.table import Table

    table = Table("rule", "name", "severity", "what happens otherwise")
    for rule in sorted(RULES.values(), key=lambda rule: rule.id):
        table.add_row(rule.id, rule.name, rule.severity, rule.reason)
    console = Console()
    # the table needs more than the 80 columns that a pipe is taken for
    (console if console.is_terminal else Console(width=160)).print(table)
    return 0


def _explain(id: str) -> int:
    rule = RULES.get(id.upper())
    if rule is None:
        near = difflib.get_close_matches(id.upper(), RULES, n=1)
        raise SlipwayError(
            f"no rule {id}", fix=f"slipway check --explain {near[0] if near else min(RULES)}"
        )
    click.echo(f"{click.style(rule.id, bold=True)} {rule.name} ({rule.severity})")
    click.echo(f"  why: {rule.reason}")
    click.echo(f"  source: {rule.source}")
    click.echo(f"  an example, and how to fix it: {PAGES}/{rule.id}.md")
    click.echo(f"  to silence it at one place: # slipway: ignore={rule.id} and the reason")
    return 0
