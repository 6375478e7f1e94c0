"""SW80x: the thresholds of a model's metrics, and the program that measures them."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.errors import SlipwayError
from slipway.model import thresholds
from slipway.model.thresholds import EVALUATION_PROGRAM, FILE_NAME, Thresholds

FUNCTION = "evaluate"
DEFINED = (ast.FunctionDef, ast.ClassDef)


@rule(
    "SW801",
    "malformed-thresholds",
    scope="slipway",
    severity="warning",
    reason="publishing stops: the thresholds of the metrics are unknown",
    source="Slipway: model/thresholds.py",
)
def malformed_thresholds(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an ``evaluation.toml`` that is not TOML, or has an unknown key or value."""
    error = _load_thresholds(model)
    if isinstance(error, SlipwayError):
        yield RuleHit(Location(model.folder / FILE_NAME), error.what, error.fix or "")


@rule(
    "SW802",
    "unmeasured-metric",
    scope="slipway",
    severity="warning",
    reason="promotion is refused as soon as the metric has a bound, or production has it",
    source="Slipway: release/evaluation/evaluation.py",
)
def unmeasured_metric(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find thresholds of metrics that the metrics files do not have.

    With an ``evaluate.py``, or if a file is missing, the metrics are unknown.
    """
    limits = _load_thresholds(model)
    if not isinstance(limits, Thresholds) or limits.files is None or _program(model).exists():
        return
    measured: set[str] = set()
    for file in limits.files:
        metrics = _metrics(model.folder / file)
        if metrics is None:
            return
        measured |= metrics | {f"{file}:{name}" for name in metrics}
    listed = ", ".join(sorted(name for name in measured if ":" not in name))
    for name in limits.metric:
        if name not in measured:
            yield RuleHit(
                Location(model.folder / FILE_NAME),
                f"no metric {name!r} in {', '.join(limits.files)}",
                f"name one of {listed}" if listed else "create them again: dvc repro",
            )


@rule(
    "SW803",
    "nothing-to-evaluate",
    scope="slipway",
    severity="warning",
    reason="slipway evaluate stops",
    source="Slipway: testing/evaluate_worker.py",
)
def nothing_to_evaluate(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an ``evaluate.py`` that is not valid Python, or has no function ``evaluate``."""
    program = _program(model)
    if not program.is_file() or model.is_single_config:
        return
    try:
        tree = ast.parse(program.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        what = f"not valid Python: {error}"
        yield RuleHit(Location(program, line), what, "correct the line named above")
        return
    if not any(_may_define_function(statement) for statement in tree.body):
        yield RuleHit(
            Location(program),
            f"no function {FUNCTION}",
            f"def {FUNCTION}(model: Model) -> dict[str, float]: ...",
        )


def _load_thresholds(model: ModelUnderCheck) -> Thresholds | SlipwayError | None:
    if model.is_single_config:
        return None
    try:
        return thresholds.load_thresholds(model.folder)
    except SlipwayError as error:
        return error


def _program(model: ModelUnderCheck) -> Path:
    return model.folder / EVALUATION_PROGRAM


def _metrics(file: Path) -> set[str] | None:
    """Return the names of the metrics in a file, flattened as DVC does.

    ``None`` if the file is missing or cannot be read.
    """
    if not file.is_file():
        return None
    if file.suffix.lower() == ".json":
        return _metrics_of_json(file)
    from dvc.utils.flatten import flatten
    from dvc.utils.serialize import LOADERS

    try:
        return set(flatten(LOADERS[file.suffix.lower()](str(file))))
    except Exception:  # each format has its own errors; reading the metrics reports them
        return None


def _metrics_of_json(file: Path) -> set[str] | None:
    # what follows does not import DVC, which takes longer than all rules
    try:
        names = list(_flat_names(json.loads(file.read_text(encoding="utf-8")) or {}))
    except (ValueError, TypeError):
        return None
    return set(names) if len(set(names)) == len(names) else None


def _flat_names(metrics: object, prefix: str = "") -> Iterator[str]:
    if not isinstance(metrics, dict):
        raise TypeError("metrics are an object")
    for name, value in metrics.items():
        if isinstance(value, dict):
            yield from _flat_names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _may_define_function(statement: ast.stmt) -> bool:
    """Return whether a statement may define the function, as an import or a condition may."""
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
