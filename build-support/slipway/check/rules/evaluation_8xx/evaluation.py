"""SW80x: what a model's metrics have to keep to, and the program that measures them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Found, Place
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.errors import SlipwayError
from slipway.model import thresholds
from slipway.model.thresholds import FILE_NAME, PROGRAM, Thresholds

FUNCTION = "evaluate"
DEFINED = (ast.FunctionDef, ast.ClassDef)


@rule(
    "SW801",
    "malformed-thresholds",
    severity="warning",
    reason="publishing stops: nobody can tell what the metrics have to keep to",
    source="Slipway: thresholds.py",
)
def malformed_thresholds(subject: Subject) -> Iterator[Found]:
    """An ``evaluation.toml`` that is not TOML, or has a key or value that means nothing."""
    if isinstance(said := _read(subject), SlipwayError):
        yield Found(Place(subject.folder / FILE_NAME), said.what, said.fix or "")


@rule(
    "SW802",
    "unmeasured-metric",
    severity="warning",
    reason="promotion is refused as soon as the metric has a bound, or production has it",
    source="Slipway: release/evaluation/evaluation.py",
)
def unmeasured_metric(subject: Subject) -> Iterator[Found]:
    """A threshold of a metric that the files named with it do not have; with an ``evaluate.py``,
    or where a file is not here, nobody can tell."""
    said = _read(subject)
    if not isinstance(said, Thresholds) or said.files is None or _program(subject).exists():
        return
    found: set[str] = set()
    for file in said.files:
        metrics = _metrics(subject.folder / file)
        if metrics is None:
            return
        found |= metrics | {f"{file}:{name}" for name in metrics}
    known = ", ".join(sorted(name for name in found if ":" not in name))
    for name in said.metric:
        if name not in found:
            yield Found(
                Place(subject.folder / FILE_NAME),
                f"no metric {name!r} in {', '.join(said.files)}",
                f"name one of {known}" if known else "make them anew: dvc repro",
            )


@rule(
    "SW803",
    "nothing-to-evaluate",
    severity="warning",
    reason="slipway evaluate stops",
    source="Slipway: testing/evaluate_worker.py",
)
def nothing_to_evaluate(subject: Subject) -> Iterator[Found]:
    """An ``evaluate.py`` that is not valid Python, or has no function ``evaluate``."""
    program = _program(subject)
    if not program.is_file() or subject.lone:
        return
    try:
        tree = ast.parse(program.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        yield Found(Place(program, line), f"not valid Python: {error}", "mend the line named above")
        return
    if not any(_may_define(statement) for statement in tree.body):
        yield Found(
            Place(program),
            f"no function {FUNCTION}",
            f"def {FUNCTION}(model: Model) -> dict[str, float]: ...",
        )


def _read(subject: Subject) -> Thresholds | SlipwayError | None:
    if subject.lone:
        return None
    try:
        return thresholds.load(subject.folder)
    except SlipwayError as error:
        return error


def _program(subject: Subject) -> Path:
    return subject.folder / PROGRAM


def _metrics(file: Path) -> set[str] | None:
    """The names of the metrics in a file, flattened as DVC does; ``None`` where it is not here or
    cannot be read."""
    if not file.is_file():
        return None
    from dvc.utils.flatten import flatten
    from dvc.utils.serialize import LOADERS

    try:
        return set(flatten(LOADERS[file.suffix.lower()](str(file))))
    except Exception:  # each kind of file has its own errors; reading the metrics tells them
        return None


def _may_define(statement: ast.stmt) -> bool:
    """Whether a statement of a module may give the name, as an import or a condition may."""
    if isinstance(statement, DEFINED):
        return statement.name == FUNCTION
    if isinstance(statement, ast.Import | ast.ImportFrom):
        names = {alias.asname or alias.name for alias in statement.names}
        return bool(names & {FUNCTION, "*"})
    if isinstance(statement, ast.Expr | ast.AsyncFunctionDef):
        return False
    return any(
        isinstance(node, ast.Name)
        and node.id == FUNCTION
        or isinstance(node, DEFINED)
        and node.name == FUNCTION
        for node in ast.walk(statement)
    )
