"""Run the checks of targets on all cores, except those that are kept from an earlier run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.cli.progress import working
from slipway.forked import start_tasks
from slipway.unchanged import files_unchanged

if TYPE_CHECKING:
    from slipway.check.kept.examine import Examined
    from slipway.check.outcome import CheckOutcome
    from slipway.cli.develop.check_targets import CheckTargets

MANY = 20  # models; checking fewer takes no time that a progress line would explain


@dataclass
class CheckRun:
    """The outcomes by target, in their order, and the errors of checks that broke."""

    outcomes: dict[Path, CheckOutcome] = field(default_factory=dict)
    bugs: dict[Path, Exception] = field(default_factory=dict)


def run_checks(targets: CheckTargets, *, fresh: bool) -> CheckRun:
    """Check the targets; all models of a checkout only as far as they changed, unless ``fresh``."""
    run = CheckRun()
    outcomes = None if fresh else _run_changed(targets, run.bugs)
    with files_unchanged():
        found = outcomes if outcomes is not None else _run(targets.checks, run.bugs)
    run.outcomes = {path: found[path] for path in targets.checks if path in found}
    return run


def _run_changed(
    targets: CheckTargets, bugs: dict[Path, Exception]
) -> dict[Path, CheckOutcome] | None:
    if targets.repository is None:
        return None
    from slipway.check.kept import kept_checks

    kept = kept_checks.open_kept(targets.repository.settings)
    if kept is None:
        return None
    targets.repository.ignored_files.known = kept.ignored
    paths = {path.name: path for path in targets.checks}

    def run(names: list[str]) -> Mapping[str, Examined]:
        chosen = {paths[name]: targets.examine(paths[name]) for name in names}
        with files_unchanged():
            return {path.name: made for path, made in _run(chosen, bugs).items()}

    all_checked = kept_checks.check_all(kept, paths, run)
    return {paths[name]: made.outcome for name, made in all_checked.items()}


def _run[T](tasks: Mapping[Path, Callable[[], T]], bugs: dict[Path, Exception]) -> dict[Path, T]:
    """Return the results; what breaks in one model does not hide the others."""
    found: dict[Path, T] = {}
    with (
        start_tasks(list(tasks.values())) as results,
        # its thread begins after the forks
        working("checking") if len(tasks) > MANY else nullcontext(),
    ):
        for path, result in zip(tasks, results, strict=True):
            try:
                found[path] = result()
            except Exception as error:
                bugs[path] = error
    return found
