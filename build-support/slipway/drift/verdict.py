"""What a check of an endpoint's releases for drift has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from slipway.capture.record import CapturedRequest
from slipway.drift.report import DriftReport, TensorDrift
from slipway.settings.release import StageName

Verdict = Literal["drift", "no drift", "too few rows", "no profile", "no requests"]


@dataclass(frozen=True)
class Comparison:
    """A window of requests against one reference: the release's profile, or an earlier window."""

    reference: str
    report: DriftReport

    @property
    def comparable(self) -> int:
        """How many distributions of so many rows can be told from chance."""
        return sum(_comparable(tensor) for tensor in self.report.tensors)

    @property
    def verdict(self) -> Verdict:
        """Whether it drifted, or the window has too few rows to say."""
        if self.report.moved:
            return "drift"
        return "no drift" if self.comparable else "too few rows"


@dataclass(frozen=True)
class ReleaseDrift:
    """One release that the alias ``name`` serves, and ``requests`` to it that were captured.

    ``notes`` say what was left out. Without a comparison ``missing`` says why there is none.
    ``windows`` are the requests of the earlier window and of this one.
    """

    name: str
    target: str
    requests: int
    comparisons: tuple[Comparison, ...] = ()
    missing: Verdict = "no requests"
    notes: tuple[str, ...] = ()
    windows: tuple[Sequence[CapturedRequest], Sequence[CapturedRequest]] = ((), ())

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict of its comparisons; without any, why there is none."""
        verdicts = {comparison.verdict for comparison in self.comparisons}
        found: Verdict
        for found in ("drift", "no drift", "too few rows"):
            if found in verdicts:
                return found
        return self.missing

    @property
    def moved(self) -> list[str]:
        """The names of the tensors that moved, sorted."""
        reports = (comparison.report for comparison in self.comparisons)
        return sorted(
            {tensor.name for report in reports for tensor in report.tensors if tensor.moved}
        )

    @property
    def scores(self) -> dict[str, float]:
        """The largest statistic of each tensor, in thresholds: above 1 is drift. Tensors that no
        window of this size could tell from chance are left out."""
        scores: dict[str, float] = {}
        for comparison in self.comparisons:
            for tensor in comparison.report.tensors:
                if tensor.moved or _comparable(tensor):
                    scores[tensor.name] = max(tensor.score, scores.get(tensor.name, 0.0))
        return scores

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "name": self.name,
            "target": self.target,
            "verdict": self.verdict,
            "requests": self.requests,
            "moved": self.moved,
            "scores": self.scores,
            "comparisons": [
                {"reference": one.reference, "verdict": one.verdict, **one.report.dump()}
                for one in self.comparisons
            ],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class DriftCheck:
    """The releases of an endpoint, from ``since`` to ``until``. ``others`` counts the requests to
    target models that no checked alias serves; ``problems`` name what was not checked."""

    endpoint: str
    stage: StageName
    since: datetime
    until: datetime
    location: str
    releases: Sequence[ReleaseDrift]
    others: Mapping[str, int]
    problems: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``drift`` if any release drifted, ``no drift`` if any was compared; else why not."""
        verdicts = [release.verdict for release in self.releases]
        found: Verdict
        for found in ("drift", "no drift", "too few rows", "no requests"):
            if found in verdicts:
                return found
        return "no profile" if verdicts else "no requests"

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "endpoint": self.endpoint,
            "stage": self.stage,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "captures": self.location,
            "verdict": self.verdict,
            "releases": [release.dump() for release in self.releases],
            "other_targets": dict(self.others),
            "problems": list(self.problems),
        }


def _comparable(tensor: TensorDrift) -> int:
    """Return how many distributions of a tensor can be compared in a window of this size.

    The other statistics always have a threshold, but of a few rows it is one that hardly any drift
    reaches: many spreads of the reference, or half of the rows.
    """
    return sum(
        one.name == "psi" and one.threshold != float("inf") for one in tensor.statistics.values()
    )
