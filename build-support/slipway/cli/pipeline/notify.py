"""``slipway notify``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import names_argument
from slipway.cli.options import json_option, stage_option
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.pipeline.notify.event import Kind, ReleaseEvent
    from slipway.settings import Settings
    from slipway.settings.release import StageName


@click.command()
@click.argument("what", type=click.Choice(["released", "failed", "rolled-back"]))
@names_argument
@stage_option("Notify of this stage.", default="production")
@click.option("--reason", help="Why; by default the reason that the store has.")
@click.option("--job", help="Name of the failed job; by default the failed jobs in GitLab.")
@click.option("--log", help="Address of the job's log.")
@click.option("--dry-run", is_flag=True, help="Print the message, and send nothing.")
@json_option("Print the message as a webhook and SNS get it.")
def notify(
    what: str,
    names: tuple[str, ...],
    stage: str,
    reason: str | None,
    job: str | None,
    log: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Notify people of a release, a failure or a rollback.

    The message says what, who and where, and how to undo it. It is sent to SLIPWAY_WEBHOOK_URL (of
    Slack, or compatible) and SLIPWAY_SNS_TOPIC (an ARN). A problem is only a warning: the exit code
    is 0.

    Example: slipway notify released screen_detection --dry-run
    """
    try:
        from slipway.pipeline.notify.notify import notify as send_notifications

        with working("reading the store"):
            event = _event(what, names, stage, reason, job, log)
        if not dry_run:
            with working("sending"):
                notified = send_notifications(event, _warn)
        if dry_run or as_json:
            _print(event, as_json)
        else:
            summary = f"notified: {', '.join(notified)}" if notified else "no notification sent"
            click.echo(summary, err=not notified)
    except Exception as error:  # a message is not worth a failed pipeline
        _warn(f"no notification sent: {type(error).__name__}")


def _event(
    what: str,
    names: tuple[str, ...],
    stage: str,
    reason: str | None,
    job: str | None,
    log: str | None,
) -> ReleaseEvent:
    from slipway.pipeline.notify.event import FailedJob, collect_event
    from slipway.pipeline.notify.notify import run_with_limit

    jobs = [FailedJob(job, log)] if job else []

    def collect(configured: Settings | None) -> ReleaseEvent:
        return collect_event(
            cast("Kind", what),
            list(dict.fromkeys(names)),
            configured,
            stage=cast("StageName", stage),
            reason=reason,
            jobs=jobs,
            warn=_warn,
        )

    configured = _settings()
    try:
        return run_with_limit(lambda: collect(configured))
    except SlipwayError as error:
        _warn(f"cannot read the store: {error.what}")
        return collect(None)


def _settings() -> Settings | None:
    from slipway import settings

    try:
        return settings.load(Path.cwd())
    except SlipwayError as error:
        _warn(str(error))
        return None


def _print(event: ReleaseEvent, as_json: bool) -> None:
    from slipway.pipeline.notify.message import render_message

    message = render_message(event)
    if as_json:
        sns = {"Subject": message.subject, "Message": message.plain}
        click.echo(json.dumps({"webhook": message.body, "sns": sns}, ensure_ascii=False))
    else:
        click.echo(message.plain, nl=False)


def _warn(what: str) -> None:
    click.echo(f"warning: {what}", err=True)
