"""``slipway report``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.models import ModelFolder, artifact_option
from slipway.cli.options import (
    FILE,
    json_had_a_value,
    json_option,
    outputs_option,
    warn_renamed,
    write_output,
)
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.pipeline.report.build import Report
    from slipway.settings import Settings

FORMATS = {
    ".md": "markdown",
    "": "markdown",
    ".html": "html",
    ".json": "json",
    ".txt": "openmetrics",
    ".prom": "openmetrics",
}


def _old_option(context: click.Context, option: click.Parameter, file: Path | None) -> Path | None:
    if file is not None:
        warn_renamed(option.opts[0], "--output")
    return file


@click.command(cls=json_had_a_value(lambda value: value.endswith(".json"), "--output"))
@click.argument("models", nargs=-1, type=ModelFolder(missing_ok=True), metavar="[MODEL]...")
@artifact_option
@click.option(
    "--artifacts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Use the artifacts in this folder; build only what is missing.",
)
@click.option(
    "--tests",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path),
    help="JUnit files or folders; by default dist/test/reports and dist/*.tests.xml.",
)
@click.option("--base", metavar="REV", help="Without MODEL: report what changed since this commit.")
@outputs_option(
    FORMATS,
    "Write the report: .md for GitLab, .html one page, .json everything, .txt OpenMetrics."
    " May be repeated; by default Markdown is printed.",
)
@json_option()
@click.option("--html", "page", type=FILE, hidden=True, callback=_old_option)
@click.option("--metrics", type=FILE, hidden=True, callback=_old_option)
@click.option("--comment", is_flag=True, help="Put the report on the merge request.")
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=6.0,
    show_default=True,
    help="Measure latencies of each model for so long; 0: load and measure nothing.",
)
def report(
    models: tuple[Path, ...],
    artifact: Path | None,
    artifacts: Path | None,
    reports: tuple[Path, ...],
    base: str | None,
    outputs: tuple[Path, ...],
    as_json: bool,
    page: Path | None,
    metrics: Path | None,
    comment: bool,
    seconds: float,
) -> int:
    """Report what a branch changes in its models.

    Without MODEL, reports the models that differ from where the branch left the default branch.
    Compares each with what production serves: sizes, load time, latency, answers to the golden
    cases, metrics and tests. Exits with 1 if a model cannot be built or loaded; the report says
    why.

    --comment needs SLIPWAY_GITLAB_TOKEN (a project access token with the scope api).

    Example: slipway report --output report.md --output report.html
    """
    from slipway import settings
    from slipway.pipeline.report.artifacts import Sources
    from slipway.pipeline.report.build import build_report

    configured = settings.load(Path.cwd())
    folders, deleted = _select(models, configured, base)
    if artifact is not None and len(folders) != 1:
        raise SlipwayError("--artifact is for one model", fix="name the model")
    result = build_report(
        configured,
        folders,
        deleted,
        sources=Sources(artifact, artifacts, reports or _default_reports()),
        seconds=seconds,
        doing=working,
    )
    files = [(FORMATS[file.suffix], file) for file in outputs]
    files += [("html", page)] if page is not None else []
    files += [("openmetrics", metrics)] if metrics is not None else []
    if as_json or not outputs:
        click.echo(_render(result, "json" if as_json else "markdown"), nl=False)
    for format, file in files:
        write_output(file, _render(result, format))
    if comment:
        from slipway.pipeline.report import gitlab_note

        click.echo(gitlab_note.update_note(result), err=True)
    return int(result.failed)


def _select(
    models: Sequence[Path], configured: Settings, base: str | None
) -> tuple[list[Path], list[str]]:
    """Return the folders of the models, and the names of those that were deleted."""
    if models:
        existing = [model for model in models if model.is_dir()]
        return existing, [model.name for model in models if model not in existing]
    from slipway.pipeline.affected import find_affected
    from slipway.pipeline.merge_base import find_base

    change = find_affected(configured.root, find_base(configured.root, revision=base))
    return [configured.root / "models" / name for name in change.models], list(change.deleted)


def _default_reports() -> list[Path]:
    return [Path("dist/test/reports"), *sorted(Path("dist").glob("*.tests.xml"))]


def _render(result: Report, format: str) -> str:
    from slipway.pipeline.report import openmetrics, render

    if format == "json":
        return json.dumps(result.as_json(), indent=1, ensure_ascii=False) + "\n"
    if format == "openmetrics":
        return openmetrics.render_openmetrics(result)
    return render.render_html(result) if format == "html" else render.render_markdown(result)
