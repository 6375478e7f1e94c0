"""Compare two training runs: their data, code, image, parameters and stages."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.artifact.diff import Change
from slipway.training.inputs import find_inputs, is_code
from slipway.training.run import TrainingRun

PART = "training"
DIGITS = 12


def diff_runs(before: TrainingRun | None, after: TrainingRun | None) -> list[Change]:
    """Return what turns the run ``before`` into ``after``; nothing if it is the same run.

    ``None`` is a release whose training is not known: then only the run is named.
    """
    if before == after:
        return []
    changes = _diff({"run": _name(before)}, {"run": _name(after)})
    if before is not None and after is not None:
        changes += _diff(_describe(before), _describe(after))
    return changes


def _name(run: TrainingRun | None) -> str | None:
    return None if run is None else run.id


def _describe(run: TrainingRun) -> dict[str, str | None]:
    values: dict[str, str | None] = {
        "place": run.place,
        "code": f"commit {run.commit[:7]}{' with uncommitted changes' if run.dirty else ''}",
        "image": None if run.image is None else run.image.rpartition(":")[2][:DIGITS],
        "requirements.lock": run.lock_sha256[:DIGITS],
    }
    for file in find_inputs(run):
        kind = "code" if is_code(file) else "data"
        values[f"{kind} {file.path}"] = file.hash.rpartition(":")[2][:DIGITS]
    for name, value in run.parameters.items():
        values[f"parameter {name}"] = str(value)
    for stage in run.stages:
        values[f"stage {stage.name}"] = stage.cmd
    return values


def _diff(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> list[Change]:
    return [
        Change(PART, name, before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
