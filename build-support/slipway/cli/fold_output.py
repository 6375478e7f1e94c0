"""Fold a model for a command, and print what came of it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.fold.plan import Plan
    from slipway.model.weights import Weights
    from slipway.settings import Settings

ORDERING = {"ArgMax", "ArgMin", "TopK"}


def plan_fold(folder: Path, settings: Settings, store: Weights, step: str | None = None) -> Plan:
    """Return what folding changes, and print it.

    Raises:
        SlipwayError: as :func:`slipway.fold.plan.make_plan`.
    """
    from slipway.fold.plan import make_plan
    from slipway.fold.write import graph_file

    name = folder.resolve().name
    with tempfile.TemporaryDirectory() as scratch, working(f"folding {name}"):
        plan = make_plan(
            folder, settings, lambda file: graph_file(file, store, Path(scratch)), step
        )
    _show(name, plan)
    return plan


@contextlib.contextmanager
def fold_model(
    folder: Path, settings: Settings, store: Weights, step: str | None = None
) -> Iterator[Plan]:
    """Fold a model; after an error inside the ``with`` statement it is as it was.

    Raises:
        SlipwayError: it cannot be folded; nothing was changed.
    """
    from slipway.fold.write import written

    plan = plan_fold(folder, settings, store, step)
    with written(folder, plan, store):
        yield plan


def show_texts(name: str, plan: Plan) -> None:
    """Print the configs that a plan changes."""
    for changed, text in plan.texts.items():
        click.echo(f"\nmodels/{name}/{changed}/config.pbtxt:\n{text}", nl=False)


def _show(name: str, plan: Plan) -> None:
    if plan.graph:
        operators = ", ".join(dict.fromkeys(plan.operators)) or "no operator"
        digits = "the same digits" if plan.exact else "the same up to the order of additions"
        click.echo(f"{name}: {plan.step} → {plan.inferencer}/{plan.file}: {operators}")
        click.echo(f"  {plan.compared} requests answered alike by code and graph, {digits}")
    else:
        click.echo(f"{name}: {plan.step} passes its tensors on, and goes; no weights change")
    for answer, tensor in plan.passed.items():
        click.echo(f"  {answer} is {tensor!r}, as the step before writes it")
    if ORDERING & {*plan.operators}:
        click.echo("  of NaN, np.argmax and np.argsort answer otherwise than a graph")
