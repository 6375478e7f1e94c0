"""``slipway fold``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.models import ModelFolder
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.settings import Settings


@click.command()
@click.argument("model", metavar="NAME", type=ModelFolder())
@click.option(
    "--step", metavar="MODEL", help="Fold this one. Default: the Python model at the end."
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--undo", is_flag=True, help="Serve the models below folded/ again.")
@click.option(
    "--test/--no-test",
    "tested",
    default=True,
    help="Accept it only if the model's tests pass on the server. Default: test.",
)
def fold(model: Path, step: str | None, dry_run: bool, undo: bool, tested: bool) -> None:
    """Move a postprocessing that is arithmetic into the ONNX graph.

    The ensemble has one Python process fewer then. The code runs once with symbols in the place of
    its tensors, and what numpy does with them becomes operators of ONNX. Answers are compared on
    drawn tensors, on the graph, and by the model's tests.

    What was folded is kept in folded/, where it is edited and trained: the same command folds it
    again. A step that only passes tensors on is removed, and weights stay as they are.

    Example: slipway fold screen_detection
    """
    from slipway import settings
    from slipway.cli.fold_output import fold_model, plan_fold, show_texts
    from slipway.fold.write import unfold
    from slipway.model.folded import is_folded, load_fold, why_old
    from slipway.model.weights import Weights

    configured = settings.load(Path.cwd())
    store = Weights(configured.root)
    name = model.resolve().name
    folded = is_folded(model)
    if undo:
        if not folded:
            raise SlipwayError("nothing is folded", where=str(model), fix=f"slipway fold {name}")
        record = load_fold(model)
        unfold(model, record)
        click.echo(f"{name}: {record.step} runs as Python again")
        return
    if folded and not dry_run and why_old(model, load_fold(model)) is None:
        click.echo(f"{name}: folded already, and nothing has changed since")
        return
    step = step or (load_fold(model).step if folded else None)
    if dry_run:
        show_texts(name, plan_fold(model, configured, store, step))
        return
    with fold_model(model, configured, store, step) as plan:
        if tested:
            _test(model, configured)
    if plan.graph:
        click.echo(f"edit and train below models/{name}/folded/, then: slipway fold {name}")
        click.echo(f"share the weights: slipway weights push {name}")


def _test(model: Path, configured: Settings) -> None:
    """Run the model's tests on the server.

    Raises:
        SlipwayError: one fails; the caller puts all back.
    """
    from slipway import build
    from slipway.testing import run
    from slipway.testing.untestable import untestable_reason

    untestable = untestable_reason(model, configured)
    if untestable is not None:
        click.echo(f"  not tested on a server: {untestable.what}", err=True)
        return
    with tempfile.TemporaryDirectory() as output:
        with working(f"building {model.resolve().name}"):
            artifact = build.build(model, configured, Path(output))
        status = run.run(
            model,
            configured.root,
            artifact=artifact.path,
            limit_s=configured.time_limits.model_timeout,
            arguments=["-q"],
        )
    if status != run.PASSED:
        raise SlipwayError(
            "not folded: the model's tests fail with it; all is as it was",
            where=str(model),
            fix="read what failed above; --no-test folds without them",
        )
