"""What ``slipway drift`` writes and sends: reports, metrics, notifications."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.options import write_output
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.drift.verdict import DriftCheck
    from slipway.settings import Settings

FORMATS = {".html": "html", ".json": "json", ".txt": "openmetrics", ".prom": "openmetrics"}
LEVELS = ("endpoint", "model", "tensor")


def write_report(file: Path, check: DriftCheck, style: str) -> None:
    """Write a report in the format of the file's name; ``style`` is of pages.

    Raises:
        SlipwayError: it cannot be written.
    """
    format = FORMATS[file.suffix]
    if format == "json":
        text = json.dumps(check.dump(), indent=1, ensure_ascii=False) + "\n"
    elif format == "openmetrics":
        from slipway.drift.openmetrics import render_openmetrics

        text = render_openmetrics(check)
    elif style == "evidently":
        from slipway.drift.evidently_page import render_page as render_evidently

        text = render_evidently(check)
    else:
        from slipway.drift.page.render import render_page

        text = render_page(check)
    write_output(file, text)


def send(configured: Settings, check: DriftCheck, level: str) -> None:
    """Send metrics of the endpoint to CloudWatch, down to one of :data:`LEVELS`.

    Raises:
        SlipwayError: AWS is not reached, or refuses.
    """
    from slipway.drift.metric import drift_metrics, send_metrics

    entry = configured.endpoint(check.endpoint)
    metrics = drift_metrics(check, entry.endpoint_name or entry.name, LEVELS.index(level))
    with working("sending metrics"):
        send_metrics(metrics, entry)
    click.echo(f"{len(metrics)} values of Slipway/Drift sent to CloudWatch", err=True)


def notify(configured: Settings, check: DriftCheck) -> None:
    """Notify people. A problem is a warning: what was found is printed anyway."""
    from slipway.pipeline.notify.drift import notify_drift

    try:
        with working("notifying"):
            summary = notify_drift(configured, check, _warn)
        click.echo(summary, err=True)
    except SlipwayError as error:
        _warn(str(error))


def _warn(what: str) -> None:
    click.echo(f"warning: {what}", err=True)
