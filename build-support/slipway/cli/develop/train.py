"""``slipway train``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.exit_codes import exit_at_sigterm, print_error
from slipway.cli.models import names_argument
from slipway.cli.options import json_option
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.settings import Settings
    from slipway.training.place import Place, TrainingOutcome
    from slipway.training.run import TrainingRun

PLACES = ("local", "sagemaker", "airflow")


@click.command()
@names_argument
@click.option(
    "--on",
    "place",
    type=click.Choice(PLACES),
    default="local",
    show_default=True,
    help="Where its stages run.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="PARAMETER=VALUE",
    help="Set a parameter that a stage depends on, such as train.rounds=20.",
)
@click.option("--force", is_flag=True, help="Run stages that have not changed, too.")
@click.option(
    "--due", is_flag=True, help="Train those that are old, were changed or have newer data."
)
@click.option("--changed", is_flag=True, help="Of those, only what differs from dvc.lock.")
@click.option(
    "--drifted",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of those, only models that drifted by this report of slipway drift.",
)
@click.option("--dry-run", is_flag=True, help="Print what is due, and train nothing.")
@click.option("--detach", is_flag=True, help="Return once it has started; not on this machine.")
@click.option(
    "--collect",
    "started_run",
    metavar="RUN",
    help="Wait for what --detach started, and bring it into the checkout.",
)
@click.option("--allow-dirty", is_flag=True, help="Send files as they are, committed or not.")
@click.option("--reason", help="Why it is started, for the run's record.")
@json_option("Print one JSON object a line.")
def train(
    names: tuple[str, ...],
    place: str,
    assignments: tuple[str, ...],
    force: bool,
    due: bool,
    changed: bool,
    drifted: Path | None,
    dry_run: bool,
    detach: bool,
    started_run: str | None,
    allow_dirty: bool,
    reason: str | None,
    as_json: bool,
) -> int:
    """Run the stages of dvc.yaml that train each NAME.

    Only what changed runs. A stage that any machine has run is pulled from DVC's remote. The stages
    run in a copy of the checkout: if one fails, the checkout is as it was. Once all are through,
    dvc.lock, metrics, parameters and outputs are in the checkout, and training/run.json says what
    ran, and from what.

    With --due, of all models or of NAME: those whose data, parameters or code differ from dvc.lock,
    whose imported data have a newer version, or whose last training is older than max_age of
    training.toml. It prints for each why it is trained or left alone.

    \b
    --json    {"model", "state", "run", "metrics_before", "links"}

    Example: slipway train churn --set train.max_depth=4
    """
    from slipway import settings
    from slipway.cli.develop.train_due import choose_due, update_imports
    from slipway.pipeline.retraining.due import DueModel
    from slipway.training.parameters import parse_assignments
    from slipway.training.place import ResumablePlace
    from slipway.training.places import open_place

    chooses = due or changed or drifted is not None
    if not names and not chooses:
        raise SlipwayError("no model is named", fix="slipway train NAME, or slipway train --due")
    if dry_run and not chooses:
        raise SlipwayError("--dry-run shows what is due", fix="add --due, or remove --dry-run")
    values = parse_assignments(assignments)
    configured = settings.load(Path.cwd())
    opened = open_place(place, configured)  # type: ignore[arg-type]  # it is one of the choices
    if detach and not opened.detachable:
        raise SlipwayError("a training on this machine cannot be detached", fix="remove --detach")
    if started_run and not (isinstance(opened, ResumablePlace) and len(names) == 1):
        raise SlipwayError(
            "--collect takes one NAME, and --on sagemaker",
            fix="slipway train NAME --on sagemaker --collect RUN",
        )
    exit_at_sigterm()
    failed = 0
    plan = [DueModel(name, train=True, why=reason or "", force=force) for name in names]
    if chooses:
        plan = choose_due(configured, names, drifted=drifted, only_changed=changed, as_json=as_json)
        failed = int(any(decision.failed for decision in plan))
    for decision in plan:
        if dry_run or not decision.train:
            continue
        one = Training(configured, opened, decision.model, as_json)
        try:
            update_imports(configured, decision)
            one.run(
                values,
                force=force or decision.force,
                detach=detach,
                started_run=started_run,
                # what was updated is no commit's yet
                allow_dirty=allow_dirty or bool(decision.imports),
                reason="; ".join(filter(None, [reason, decision.why])) if chooses else reason,
            )
        except SlipwayError as error:
            print_error(error)
            failed = 1
    return failed


class Training:
    """The training of one model, as a person sees it."""

    def __init__(self, settings: Settings, place: Place, name: str, as_json: bool) -> None:
        self._settings, self._place, self._name, self._json = settings, place, name, as_json

    def run(
        self,
        parameters: Mapping[str, str],
        *,
        force: bool,
        detach: bool,
        started_run: str | None,
        allow_dirty: bool,
        reason: str | None,
    ) -> None:
        """Start it, wait for it unless it is detached, and print what became of it.

        Raises:
            SlipwayError: it cannot be started, or failed.
        """
        from slipway.training.metrics import metrics_of_checkout
        from slipway.training.place import ResumablePlace, TrainingRequest
        from slipway.training.run import new_run_id

        root = self._settings.root
        request = TrainingRequest(
            root=root,
            model=self._name,
            run_id=started_run or new_run_id(self._name),
            parameters=parameters,
            force=force,
            allow_dirty=allow_dirty,
            report=partial(_show_line, err=self._json),
            reason=reason,
        )
        before = metrics_of_checkout(root, self._name)
        if started_run and isinstance(self._place, ResumablePlace):
            started = self._place.resume(request)
        else:
            started = self._place.start(request)
        if detach:
            self._print_started(request.run_id, started.jobs)
            return
        outcome = started.wait()
        if self._json:
            self._print_json(outcome, before)
        else:
            _show_outcome(self._settings, outcome, before)

    def _print_started(self, run_id: str, jobs: Sequence[str]) -> None:
        if self._json:
            values = {"model": self._name, "state": "started", "run": run_id, "links": list(jobs)}
            click.echo(json.dumps(values))
            return
        click.echo(f"{self._name}: {run_id} started")
        for job in jobs:
            click.echo(f"  {job}")

    def _print_json(self, outcome: TrainingOutcome, before: Mapping[str, float]) -> None:
        from slipway.training.run import dump_run

        values = {
            "model": self._name,
            "state": "trained" if _ran(outcome.run) else "unchanged",
            "run": json.loads(dump_run(outcome.run)),
            "metrics_before": dict(before),
            "links": [*outcome.run.jobs, *outcome.links],
        }
        click.echo(json.dumps(values))


def _show_line(line: str, *, err: bool) -> None:
    """Print a line of progress; what a stage prints is indented and dim."""
    click.echo(click.style(line, dim=True) if line.startswith("  ") else line, err=err)


def _ran(run: TrainingRun) -> bool:
    return any(stage.source != "unchanged" for stage in run.stages)


def _show_outcome(
    settings: Settings, outcome: TrainingOutcome, before: Mapping[str, float]
) -> None:
    from slipway.model.training_settings import load_training_settings
    from slipway.training.run import run_path
    from slipway.units import format_seconds

    run = outcome.run
    if not _ran(run):
        click.echo(
            f"{run.model}: nothing changed since its last training; --force trains nevertheless"
        )
        return
    click.echo()
    ran = any(stage.source == "ran" for stage in run.stages)
    what = "trained" if ran else "results of another training taken"
    click.echo(click.style(f"{run.model}: {what} in {format_seconds(run.seconds)}", bold=True))
    width = max(len(stage.name) for stage in run.stages)
    for stage in run.stages:
        click.echo(f"  {stage.name:{width}}  {stage.source}")
    _show_metrics(before, run.metrics)
    if run.compared is not None and run.compared.release is not None:
        click.echo(f"against {run.compared.release} in production: {run.compared.verdict}")
    for link in (*run.jobs, *outcome.links):
        click.echo(f"  {link}")
    if not outcome.in_checkout:
        return
    folder = settings.root / "models" / run.model
    click.echo(f"recorded: {run_path(folder).relative_to(settings.root)}")
    steps = [("git diff", "what the training changed")]
    if load_training_settings(folder).weights:
        steps.append((f"slipway propose {run.model}", "a merge request with these weights"))
    else:
        steps.append(("slipway weights add FILE", "a copy of the candidate, where it is served"))
    click.echo("Next:")
    column = max(len(command) for command, _ in steps)
    for command, why in steps:
        click.echo(f"  {command:{column}}  # {why}")


def _show_metrics(before: Mapping[str, float], after: Mapping[str, float]) -> None:
    names = [name for name in after if not _is_listed(name)]
    if not names:
        return
    rows = [(name, _number(before.get(name)), _number(after[name])) for name in names]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    click.echo("metrics, before → after:")
    for name, old, new in rows:
        arrow = "=" if old == new else "→"
        click.echo(f"  {name:{widths[0]}}  {old:>{widths[1]}} {arrow} {new:>{widths[2]}}".rstrip())


def _is_listed(name: str) -> bool:
    """Return whether a metric is an element of a list, such as a point of a curve."""
    return any(part.isdigit() for part in name.split("."))


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.6g}"
