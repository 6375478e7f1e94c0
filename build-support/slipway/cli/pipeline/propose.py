"""``slipway propose``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.progress import working


@click.command()
@click.argument("branch")
@click.argument("title")
def propose(branch: str, title: str) -> None:
    """Open a merge request with the changes below models/.

    Commits them to BRANCH; the merge request is called TITLE. Repeated, it changes nothing. The
    environment variable SLIPWAY_PUSH_TOKEN holds the project access token for the push.

    Example: slipway propose retrain/2026-05 "Retrained models"
    """
    from slipway import settings
    from slipway.pipeline.handover import merge_request

    with working("proposing"):
        commit = merge_request.propose(settings.load(Path.cwd()).root, branch, title)
    click.echo(f"{branch}: {commit[:12]}" if commit else "nothing to propose")
