"""``slipway check``."""

from __future__ import annotations

import difflib
import gc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.models import ModelFolder
from slipway.cli.options import json_option, warn_renamed
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.check import Finding, Location
    from slipway.check.outcome import CheckOutcome
    from slipway.settings import Settings

PAGES = "docs/rules"
FORMATS = ("text", "gitlab", "sarif")


class _Target(ModelFolder):
    """A model, or a path: of a folder, the repository, or a single config.pbtxt."""

    def convert(self, value: Any, parameter: Any, context: Any) -> Path:
        from slipway.settings import find_root

        path = Path(value)
        if not path.exists() and find_root(Path.cwd()) is None:
            raise SlipwayError("no such file or folder", where=str(path))
        return path if path.exists() else super().convert(value, parameter, context)


def _old_json(context: click.Context, option: click.Parameter, value: str) -> str:
    if value != "json":
        return value
    warn_renamed("--format json", "--json")
    context.params["as_json"] = True
    return "text"


@click.command()
@click.argument("models", nargs=-1, type=_Target(), metavar="[MODEL]...")
@click.option(
    "--format",
    type=click.Choice([*FORMATS, "json"]),
    metavar=f"[{'|'.join(FORMATS)}]",
    callback=_old_json,
    default="text",
    show_default=True,
    help="Report as text, as GitLab's code quality report, or as SARIF 2.1.0.",
)
@json_option("Report as one JSON object.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report to this file, and print the text.",
)
@click.option("--fix", is_flag=True, help="Fix what is safe to fix, and print the diff.")
@click.option("--fresh", is_flag=True, help="Check unchanged models again as well.")
@click.option("--strict", is_flag=True, help="Fail on warnings as well.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules.")
@click.option("--explain", metavar="RULE", help="Explain a rule and name its source.")
def check(
    models: tuple[Path, ...],
    format: str,
    as_json: bool,
    output: Path | None,
    fix: bool,
    fresh: bool,
    strict: bool,
    list_rules: bool,
    explain: str | None,
) -> int:
    """Find mistakes in models without starting a server.

    Without MODEL, checks all models. Of a single config.pbtxt, only the config is checked. MODEL
    may be a Triton model repository outside of a Slipway checkout. Exits with 1 if there is an
    error.

    The comment "# slipway: ignore=RULE reason" silences a rule on its line or the next.

    \b
    --json    {"models", "errors", "warnings", "adopt", "findings": [{"rule",
              "name", "severity", "path", "line", "column", "what", "why",
              "source", "fix", "mendable"}]}; line and column count from 1, and 0
              is all of the file; paths are relative to the current directory;
              "adopt" counts what slipway adopt does

    Example: slipway check screen_detection
    """
    if list_rules:
        return _list()
    if explain:
        return _explain(explain)
    if as_json and format != "text":
        raise click.UsageError("--json or --format, not both")
    from slipway.check import report as reports
    from slipway.cli.develop import check_run, check_targets
    from slipway.files import atomic_write

    format = "json" if as_json else format
    targets = check_targets.find_targets(models)
    # syntax trees are many objects without cycles, at which the collector looks again and again
    gc.set_threshold(50_000)

    run = check_run.run_checks(targets, fresh=fresh or fix)

    def find_again() -> dict[Path, list[Finding]]:
        nonlocal run
        run = check_run.run_checks(targets, fresh=True)
        return _by_target(run.outcomes)

    findings: Mapping[Path, list[Finding]] = _by_target(run.outcomes)
    print_text = format == "text" or output is not None
    if fix:
        findings = _fix(find_again, targets.settings, err=not print_text)
    report = reports.CheckReport(
        targets.root, findings, sum(outcome.adopt for outcome in run.outcomes.values())
    )
    if print_text:
        click.echo(reports.render_report(report, "text"), nl=False)
    if output is not None:
        with atomic_write(output) as file:
            file.write_text(click.unstyle(reports.render_report(report, format)), encoding="utf-8")
    elif not print_text:
        click.echo(reports.render_report(report, format), nl=False)
    if print_text:
        for line in targets.closing_lines(report.adopt):
            click.echo(line)
        _print_untestable(run.outcomes, targets.settings)
        for file in (file for outcome in run.outcomes.values() for file in outcome.given_up):
            click.echo(f"note: {file}: too long to be followed; types are not checked", err=True)
    if run.bugs:
        first = next(iter(run.bugs.values()))
        first.add_note(f"while checking {', '.join(map(str, run.bugs))}")
        raise first
    return int(bool(report.count("error") or (strict and report.findings)))


def _print_untestable(outcomes: Mapping[Path, CheckOutcome], configured: Settings | None) -> None:
    """Say on standard error which models have a backend that the server here lacks."""
    from slipway.testing.untestable import untestable_reason

    for folder, outcome in outcomes.items():
        if configured is None or not outcome.backends:
            continue
        reason = untestable_reason(folder, configured, outcome.backends)
        if reason is not None:
            click.echo(f"note: {reason}", err=True)


def _by_target(outcomes: Mapping[Path, CheckOutcome]) -> dict[Path, list[Finding]]:
    """Return the findings of each target."""
    by_target: dict[Path, list[Finding]] = {}
    reported: set[tuple[Location, str, str]] = set()
    for path, outcome in outcomes.items():
        # a mistake in slipway.toml, or in a model that several call, is reported once
        by_target[path] = [finding for finding in outcome.findings if finding.key not in reported]
        reported.update(finding.key for finding in outcome.findings)
    return by_target


def _fix(
    find: Callable[[], Mapping[Path, list[Finding]]], configured: Settings | None, *, err: bool
) -> Mapping[Path, list[Finding]]:
    """Fix what is safe to fix, print the diff, and return what is left."""
    from slipway.check.fix.apply import apply_fixes

    def lock(requirements: Path) -> None:
        from slipway.environment.write_lock import lock_requirements

        assert configured is not None  # only a checkout has requirements to lock
        click.echo(f"locking {requirements}", err=True)
        lock_requirements(requirements, configured)

    latest: Mapping[Path, list[Finding]] = {}

    def find_all() -> list[Finding]:
        nonlocal latest
        latest = find()
        return [finding for findings in latest.values() for finding in findings]

    result = apply_fixes(find_all, lock)
    diff = result.diff()
    if diff:
        click.echo("".join(map(_coloured, diff.splitlines(keepends=True))), err=err)
    for line in result.refused:
        click.echo(line, err=True)
    return latest


def _coloured(line: str) -> str:
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return click.style(line, fg=colour) if colour else line


def _list() -> int:
    from rich.console import Console
    from rich.table import Table

    from slipway.check import RULES

    table = Table("rule", "name", "severity", "what happens otherwise")
    for rule in sorted(RULES.values(), key=lambda rule: rule.id):
        table.add_row(rule.id, rule.name, rule.severity, rule.reason)
    console = Console()
    # rich assumes 80 columns where the output is not a terminal; the table needs more
    (console if console.is_terminal else Console(width=160)).print(table)
    return 0


def _explain(id: str) -> int:
    from slipway.check import RULES

    rule = RULES.get(id.upper())
    if rule is None:
        near = difflib.get_close_matches(id.upper(), RULES, n=1)
        raise SlipwayError(
            f"no rule {id}", fix=f"slipway check --explain {near[0] if near else min(RULES)}"
        )
    click.echo(f"{click.style(rule.id, bold=True)} {rule.name} ({rule.severity})")
    click.echo(f"  why: {rule.reason}")
    click.echo(f"  source: {rule.source}")
    click.echo(f"  an example and its fix: {PAGES}/{rule.id}.md")
    click.echo(f"  to silence it in one place: # slipway: ignore={rule.id} and the reason")
    return 0
