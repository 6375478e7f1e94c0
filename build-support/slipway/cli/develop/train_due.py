"""What ``slipway train --due`` chooses and prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from slipway.pipeline.retraining.due import DueModel
    from slipway.settings import Settings


def choose_due(
    settings: Settings,
    names: Sequence[str],
    *,
    drifted: Path | None,
    only_changed: bool,
    as_json: bool,
) -> list[DueModel]:
    """Decide about each model, print what it does and why, and return the decisions.

    Raises:
        SlipwayError: DVC cannot read the repository, or the report of drift is another file.
    """
    from slipway.pipeline.drifted import drifted_models
    from slipway.pipeline.retraining.due import decide_due

    found = None if drifted is None else drifted_models(drifted)
    decisions = decide_due(settings.root, names, drifted=found, only_changed=only_changed)
    width = max((len(decision.model) for decision in decisions), default=0)
    for decision in decisions:
        if as_json:
            click.echo(json.dumps(asdict(decision) | {"state": _state(decision)}))
        else:
            line = f"{decision.model:{width}}  {_state(decision):11}  {decision.why}"
            click.echo(click.style(line, bold=True) if decision.train else line)
    if not decisions and not as_json:
        click.echo("no model has a training in dvc.yaml")
    return decisions


def update_imports(settings: Settings, decision: DueModel) -> None:
    """Fetch the newer versions of the model's imported data, and print which.

    Raises:
        SlipwayError: one cannot be fetched.
    """
    from slipway.pipeline.retraining.sources import update_import

    for data in decision.imports:
        facts = update_import(settings.root, data.pointer)
        click.echo(f"updated {data.pointer} from {data.source}: {facts}", err=True)


def _state(decision: DueModel) -> str:
    if decision.failed:
        return "cannot tell"
    return "train" if decision.train else "leave alone"
