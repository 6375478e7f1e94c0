"""Which models are to be trained, and why: what is old, has newer data, was changed, or drifted.

And which are not, and why not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.model.training_settings import load_training_settings
from slipway.pipeline.retraining import sources
from slipway.pipeline.retraining.changes import flat
from slipway.pipeline.retraining.sources import ImportedData
from slipway.process import run as run_program
from slipway.training.run import load_run
from slipway.training.stages import address_of, needed_by, open_dvc, training_stages

HOUR_S = 3600.0
MOST = 4  # differences that a reason names


@dataclass(frozen=True)
class DueModel:
    """Whether ``model`` is to be trained, and ``why`` or why not, in a few words.

    ``force``: nothing that DVC compares has changed, so that it would not run. ``imports`` have
    newer versions, to be fetched first. ``failed``: it could not be decided; ``why`` is the error.
    """

    model: str
    train: bool
    why: str
    force: bool = False
    imports: tuple[ImportedData, ...] = ()
    failed: bool = False


def decide_due(
    root: Path,
    names: Collection[str] = (),
    *,
    drifted: Collection[str] | None = None,
    only_changed: bool = False,
    now: datetime | None = None,
) -> list[DueModel]:
    """Return a decision for each of the models ``names``, by default all that have a training.

    With ``drifted`` only those of its models are trained that have newer data or were changed.
    With ``only_changed`` neither the age nor the sources of imports count: what a push does.

    Raises:
        SlipwayError: DVC cannot read the repository, or a named model has no training.
    """
    moment = now or datetime.now(UTC)
    trained = training_stages(root)
    unknown = sorted({*names} - trained.keys())
    if unknown:
        raise SlipwayError(
            f"no stage of dvc.yaml trains {', '.join(unknown)}",
            fix=f"name one of: {', '.join(trained) or 'none has a training'}",
        )
    decisions = []
    for name in sorted(names or trained):
        if drifted is not None and name not in drifted:
            decisions.append(DueModel(name, False, "it did not drift"))
            continue
        try:
            decisions.append(
                _decide(root, name, trained[name], moment, drifted is not None, only_changed)
            )
        except SlipwayError as error:
            decisions.append(DueModel(name, False, str(error), failed=True))
    lost = sorted({*(drifted or ())} - trained.keys()) if not names else []
    return decisions + [DueModel(name, False, "no stage of dvc.yaml trains it") for name in lost]


def _decide(
    root: Path, name: str, stages: Sequence[str], now: datetime, drifted: bool, only_changed: bool
) -> DueModel:
    with open_dvc(root) as repo:
        needed = _needed(repo, stages)
        differences = list(_differences(root, needed))
        imports = () if only_changed else tuple(sources.newer_imports(repo, needed))
    reasons = [f"newer data: {data.source}" for data in imports]
    reasons += _shortened(differences)
    prefix = "drifted; " if drifted else ""
    if reasons:
        return DueModel(name, True, prefix + "; ".join(reasons), imports=imports)
    if drifted:
        return DueModel(
            name,
            False,
            "drifted, and its data, parameters and code are those of its last training: bring in"
            " newer data first (dvc update, or a stage that fetches them)",
        )
    if only_changed:
        return DueModel(name, False, "nothing changed since its last training")
    age, why = _age(root, name, now)
    limit = load_training_settings(root / "models" / name).max_age_hours
    if limit is not None and age is not None and age > limit:
        return DueModel(name, True, f"{why}, at most {_text(limit)}", force=True)
    allowed = f", at most {_text(limit)}" if limit is not None else ", without a limit"
    return DueModel(name, False, f"nothing changed; {why}{allowed}")


def _needed(repo: Any, addresses: Sequence[str]) -> list[Any]:
    """Return the stages, and all that they depend on, imports included; sorted."""
    own = [stage for stage in repo.index.stages if address_of(stage) in addresses]
    found = {*own, *(before for stage in own for before in needed_by(repo, stage))}
    return sorted(found, key=address_of)


def _differences(root: Path, stages: Sequence[Any]) -> Iterator[str]:
    """Yield how stages differ from ``dvc.lock``: a file, a parameter, or a command.

    That a runner lacks outputs, or what other stages write, is no difference.
    """
    made = {out.fs_path for stage in stages for out in stage.outs}
    for stage in stages:
        if stage.is_data_source:
            continue
        if stage.changed_stage():
            yield f"the command of {stage.name}"
        for dep in stage.deps:
            for path, how in dep.workspace_status().items():
                if isinstance(how, dict):
                    yield from _parameters(dep)
                elif not (how == "deleted" and dep.fs_path in made):
                    full = Path(dep.fs_path)
                    inside = full.is_relative_to(root)
                    shown = full.relative_to(root).as_posix() if inside else path
                    yield f"{shown} {how}"
        for out in stage.outs:
            for how in out.workspace_status().values():
                if how != "deleted":
                    shown = Path(out.fs_path).relative_to(root).as_posix()
                    yield f"{shown} is not what its training wrote"


def _parameters(dep: Any) -> Iterator[str]:
    """Yield each parameter that differs from ``dvc.lock``, with both values."""
    recorded = flat(dep.hash_info.value if dep.hash_info else {})
    actual = flat(dep.read_params())
    for name in sorted(recorded.keys() | actual.keys()):
        was, now = recorded.get(name, "—"), actual.get(name, "—")
        if was != now:
            yield f"{name} {was} → {now}"


def _shortened(differences: Sequence[str]) -> list[str]:
    unique = list(dict.fromkeys(differences))
    more = len(unique) - MOST
    return unique[:MOST] + ([f"and {more} more"] if more > 0 else [])


def _age(root: Path, name: str, now: datetime) -> tuple[float | None, str]:
    """Return the age of the model's last training in hours, and how it is known: from its record;
    else from the commit that last changed its weights or their lock."""
    folder = root / "models" / name
    run = load_run(folder)
    if run is not None:
        hours = (now - datetime.fromisoformat(run.started)).total_seconds() / HOUR_S
        return hours, f"trained {_text(hours)} ago"
    paths = [f"models/{name}/dvc.lock", *_pointers(root, folder)]
    words = ["git", "-C", str(root), "log", "-1", "--format=%H %ct", "--", *paths]
    try:
        commit, _, seconds = run_program(words, what="asking git for the age").stdout.partition(" ")
        shallow = run_program(
            ["git", "-C", str(root), "rev-parse", "--is-shallow-repository"], what="asking git"
        ).stdout.strip()
        oldest = run_program(
            ["git", "-C", str(root), "rev-list", "--max-parents=0", "HEAD"], what="asking git"
        ).stdout.split()
        hours = (now.timestamp() - int(seconds)) / HOUR_S
    except (SlipwayError, ValueError):
        return None, "the age of its training is unknown"
    # the oldest commit of a shallow clone seems to have added every file
    least = "at least " if shallow == "true" and commit in oldest else ""
    return hours, f"without a record of its training, its weights are {least}{_text(hours)} old"


def _pointers(root: Path, folder: Path) -> list[str]:
    return [
        path.relative_to(root).as_posix()
        for path in sorted(folder.rglob("*.dvc"))
        if "training" not in path.relative_to(folder).parts
    ]


def _text(hours: float) -> str:
    """Return an age: ``97 days``, or hours below two days."""
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.0f} hour{'' if round(hours) == 1 else 's'}"
