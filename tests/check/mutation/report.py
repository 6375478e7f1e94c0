"""The trials as a table, with each trial in which check and server disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.check.mutation.kinds import KINDS, Shares
from tests.check.mutation.trials import Trial

LONGEST = 200
COLUMNS = ("mistakes", "fail", "missed", "another model", "serve", "flagged all the same")


def lines(trials: Sequence[Trial], kinds: Shares = KINDS) -> Iterator[str]:
    """Yield the report's lines; ``kinds`` are those of the trials' mistakes."""
    yield f"{'kind':10}" + "".join(f"{column:>{len(column) + 2}}" for column in COLUMNS)
    for kind in kinds:
        yield _row(kind, [trial for trial in trials if trial.mistake.kind == kind])
    yield _row("all", trials)
    failing = sum(1 for trial in trials if trial.fails)
    missed = sum(1 for trial in trials if trial.missed)
    yield f"missed: {missed} of {failing} failures, {100 * missed / max(failing, 1):.1f} %"
    formal = [trial for trial in trials if trial.fails and not trial.differs_in_values]
    missed = sum(1 for trial in formal if trial.missed)
    share = 100 * missed / max(len(formal), 1)
    yield f"without answers of the right form: {missed} of {len(formal)}, {share:.1f} %"
    yield "missed:"
    for trial in trials:
        if trial.missed:
            yield f"  {_describe(trial)} | {trial.failure.splitlines()[0][:LONGEST]}"
    yield "flagged, but serves:"
    for trial in trials:
        if trial.false:
            yield f"  {_describe(trial)} | {', '.join(trial.flagged)}"


def _describe(trial: Trial) -> str:
    return f"{trial.sample} {trial.mistake.kind}: {trial.mistake.what}"


def _row(kind: str, trials: Sequence[Trial]) -> str:
    failing = [trial for trial in trials if trial.fails]
    others = sum(1 for trial in trials if trial.other)
    counts = (
        len(trials),
        len(failing),
        sum(1 for trial in failing if trial.missed),
        others,
        len(trials) - len(failing) - others,
        sum(1 for trial in trials if trial.false),
    )
    return f"{kind:10}" + "".join(
        f"{count:>{len(column) + 2}}" for count, column in zip(counts, COLUMNS, strict=True)
    )
