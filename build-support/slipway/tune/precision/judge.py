"""Judge lowered weights by the model's evaluation, as promotion would."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.model.thresholds import EVALUATION_PROGRAM, FILE_NAME, load_thresholds
from slipway.release.evaluation.evaluation import Evaluation, HasMetrics, compare_metrics
from slipway.testing.evaluate import evaluate


def why_no_judge(folder: Path) -> str | None:
    """Return why a model's precision cannot be judged; ``None`` if it can be."""
    missing = [name for name in (EVALUATION_PROGRAM, FILE_NAME) if not (folder / name).is_file()]
    if not missing:
        return None
    return (
        f"precision is not tried: without {' and '.join(missing)} nothing says whether lowered"
        " weights are still good enough (docs/versions.md)"
    )


class Judge:
    """Runs ``evaluate.py`` on artifacts, and compares with the weights as they are (``baseline``,
    a folder or an artifact) and with what production serves, if that is known."""

    def __init__(
        self, folder: Path, root: Path, baseline: Path, served: Record | None = None
    ) -> None:
        self._folder = folder
        self._root = root
        self._baseline = baseline
        self._served = served
        self._before: Evaluation | None = None

    def objection(self, artifact: Path) -> str | None:
        """Return why promotion would refuse the model in ``artifact``, or ``None``.

        Raises:
            SlipwayError: the model as it is cannot be evaluated.
        """
        if self._before is None:
            self._before = self._evaluate(self._baseline)
        try:
            after = self._evaluate(artifact)
        except SlipwayError as error:
            return f"its evaluation fails: {error.what}"
        return objection_to(after, [self._before, *filter(None, [self._served])])

    def _evaluate(self, artifact: Path) -> Evaluation:
        thresholds = load_thresholds(self._folder)
        rules = {} if thresholds is None else thresholds.metric
        measurement = evaluate(self._folder, self._root, artifact)
        return Evaluation(measurement.metrics, {name: rule.dump() for name, rule in rules.items()})


def objection_to(after: Evaluation, references: Sequence[HasMetrics]) -> str | None:
    """Return which metric of ``after`` its rules refuse, compared with any of ``references``."""
    if not after.rules:
        return f"{FILE_NAME} has no rule for a metric, so that nothing is held"
    for reference in references:
        for metric in compare_metrics(after, reference):
            if metric.state == "refused":
                value = "not measured" if metric.candidate is None else f"{metric.candidate:g}"
                before = "" if metric.served is None else f", it was {metric.served:g}"
                reason = "" if metric.said == value else f": {metric.said}"
                return f"its evaluation refuses it: {metric.name} {value}{before}{reason}"
    return None
