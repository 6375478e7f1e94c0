"""``slipway report``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from slipway import settings
from slipway.cli import models as named
from slipway.cli.progress import working
from slipway.errors import SlipwayError

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@named.argument
@named.artifact_option
@click.option(
    "--artifacts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Take artifacts from this folder; what is not there is built.",
)
@click.option(
    "--tests",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path),
    help="JUnit files or folders; by default dist/test/reports and dist/*.tests.xml.",
)
@click.option("--base", metavar="REV", help="Without MODELS: those changed since this commit.")
@click.option("--output", type=FILE, help="Markdown for GitLab; by default it is printed.")
@click.option("--html", "page", type=FILE, help="One page that needs nothing else.")
@click.option("--json", "machines", type=FILE, help="Everything, for machines.")
@click.option("--metrics", type=FILE, help="OpenMetrics, for GitLab's metrics report.")
@click.option("--comment", is_flag=True, help="Put it on the merge request, or renew it there.")
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=6.0,
    show_default=True,
    help="For the latencies of each model; 0: load and measure nothing.",
)
def report(
    models: tuple[Path, ...],
    artifact: Path | None,
    artifacts: Path | None,
    reports: tuple[Path, ...],
    base: str | None,
    output: Path | None,
    page: Path | None,
    machines: Path | None,
    metrics: Path | None,
    comment: bool,
    seconds: float,
) -> int:
    """Say what this branch does to its models, beside what production serves.

    Of each of MODELS, or of those that differ from where the branch left the default one: sizes,
    load time, latency, answers to the golden cases, metrics, tests, and how to ask it in staging.
    Exits with 1 if a model cannot be built or loaded; the report then says why.

    --comment wants SLIPWAY_GITLAB_TOKEN (a project access token with the scope api).

    Example: slipway report --output report.md --html report.html
    """
    from slipway.pipeline.report import render
    from slipway.pipeline.report.artifacts import Sources
    from slipway.pipeline.report.build import build_report

    configured = settings.load(Path.cwd())
    folders, deleted = _chosen(models, configured, base)
    if artifact is not None and len(folders) != 1:
        raise SlipwayError(
            "--artifact is for one model", fix="name the model's folder: models/<name>"
        )
    report = build_report(
        configured,
        folders,
        deleted,
        sources=Sources(artifact, artifacts, reports or _usual_reports()),
        seconds=seconds,
        doing=working,
    )
    markdown = render.render_markdown(report)
    if output is None:
        click.echo(markdown, nl=False)
    else:
        _write(output, lambda: markdown)
    if page is not None:
        _write(page, lambda: render.render_html(report))
    if machines is not None:
        _write(machines, lambda: json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n")
    if metrics is not None:
        from slipway.pipeline.report import openmetrics

        _write(metrics, lambda: openmetrics.render_openmetrics(report))
    if comment:
        from slipway.pipeline.report import gitlab_note

        click.echo(gitlab_note.update_note(report), err=True)
    return int(report.failed)


def _chosen(
    models: tuple[Path, ...], configured: settings.Settings, base: str | None
) -> tuple[list[Path], list[str]]:
    """The folders, and the names of models that are gone."""
    if models:
        there = [model for model in models if model.is_dir()]
        return there, [model.name for model in models if model not in there]
    from slipway.pipeline.affected import find_affected
    from slipway.pipeline.merge_base import find_base

    affected = find_affected(configured.root, find_base(configured.root, revision=base))
    return [configured.root / "models" / name for name in affected.models], list(affected.deleted)


def _usual_reports() -> list[Path]:
    return [Path("dist/test/reports"), *sorted(Path("dist").glob("*.tests.xml"))]


def _write(path: Path, text: Callable[[], str]) -> None:
    from slipway.files import written_aside

    try:
        with written_aside(path) as aside:
            aside.write_text(text(), encoding="utf-8")
    except OSError as error:
        raise SlipwayError(
            f"cannot be written: {error.strerror}", where=str(path), fix="choose another file"
        ) from error
