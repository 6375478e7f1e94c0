"""``slipway propose``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.exit_codes import print_error
from slipway.cli.models import names_argument
from slipway.cli.options import json_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.pipeline.retraining.proposal import Proposal

STATES = {
    "proposed": "proposed",
    "updated": "the open merge request has this run now",
    "unchanged": "proposed before; nothing changed",
    "older": "not proposed: the branch has a newer run",
    "worse": "not proposed: it is worse than its rules allow; --allow-worse proposes a draft",
    "shown": "this would be proposed",
}


@click.command()
@names_argument
@click.option("--allow-worse", is_flag=True, help="Propose what breaks a rule, too, as a draft.")
@click.option("--show", is_flag=True, help="Print the merge request; push nothing.")
@click.option("--golden", is_flag=True, help="Ask it its golden cases: the text says what moves.")
@click.option("--branch", help="Propose all changes below models/ on this branch instead.")
@click.option("--title", help="The title of that merge request.")
@json_option("Print one JSON object a line.")
def propose(
    names: tuple[str, ...],
    allow_worse: bool,
    show: bool,
    golden: bool,
    branch: str | None,
    title: str | None,
    as_json: bool,
) -> int:
    """Open a merge request for each retrained model.

    Without NAME, for all whose last training is not committed. The training's candidate becomes
    the model's weights, and the release version is raised as far as needed. The text compares with
    production and lists what a person decides. A newer run changes the merge request of its model;
    repeated, nothing changes. The checkout stays as it is.

    SLIPWAY_PUSH_TOKEN holds the project access token for the push, or SLIPWAY_PUSH_TOKEN_SECRET
    names the secret in AWS Secrets Manager that does.

    \b
    --json    {"model", "state", "branch", "title", "text", "commit", "link",
              "verdict"}

    Example: slipway propose churn --show
    """
    from slipway import settings
    from slipway.errors import SlipwayError
    from slipway.pipeline.handover import merge_request
    from slipway.pipeline.retraining import proposal, result

    root = settings.load(Path.cwd()).root
    if branch is not None or title is not None:
        if branch is None or title is None or names:
            raise SlipwayError(
                "--branch and --title go together, and without NAME",
                fix="slipway propose --branch research/x-1.1.0 --title 'x 1.1.0'",
            )
        with working("proposing"):
            commit = merge_request.propose(root, branch, title)
        click.echo(f"{branch}: {commit[:12]}" if commit else "nothing to propose")
        return 0
    chosen = proposal.Options(allow_worse=allow_worse, show=show, golden=golden)
    status = 0
    for name in names or result.changed_models(root):
        try:
            with working(f"proposing {name}"):
                made = proposal.propose_checkout(root, name, os.environ, chosen)
        except SlipwayError as error:
            print_error(error)
            status = 1
            continue
        if made is None:
            click.echo(f"{name}: nothing to propose: the commit has its last training")
        else:
            _print(made, as_json)
    if not names and not result.changed_models(root):
        click.echo("nothing to propose: no model was trained since the commit", err=True)
    return status


def _print(made: Proposal, as_json: bool) -> None:
    from slipway.pipeline.retraining.text import metric_lines

    if as_json:
        keys = ("model", "state", "branch", "title", "text", "commit", "link")
        values = {key: getattr(made, key) for key in keys}
        click.echo(json.dumps(values | {"verdict": made.comparison.verdict}))
        return
    place = made.link or made.branch
    if made.state == "shown":
        click.echo(f"{made.branch}\n\n# {made.title}\n\n{made.text}")
        return
    at = f" {made.commit[:12]}" if made.commit else ""
    click.echo(f"{made.model}: {STATES[made.state]}: {place}{at}")
    if made.state == "worse":
        for line in metric_lines(made.comparison):
            click.echo(f"  {line}")
