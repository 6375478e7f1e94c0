"""Where a training runs: what every place takes and returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from slipway.training.run import PlaceName, TrainingRun


@dataclass(frozen=True)
class TrainingRequest:
    """One training to run.

    ``root`` is the checkout. ``parameters`` are values of params.yaml by dotted name, as text, such
    as ``{"train.rounds": "20"}``. ``force`` runs stages that have not changed, too. ``allow_dirty``
    sends a checkout that differs from its commit to another machine. ``report`` is called with each
    line of progress. ``reason`` says why it is started, for the run's record.
    """

    root: Path
    model: str
    run_id: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    force: bool = False
    allow_dirty: bool = False
    report: Callable[[str], object] = print
    reason: str | None = None

    @property
    def folder(self) -> Path:
        """Return the model's folder."""
        return self.root / "models" / self.model


@dataclass(frozen=True)
class TrainingOutcome:
    """A training that ended well.

    ``in_checkout`` says whether the results are in the checkout now; otherwise they are in a merge
    request, or wait for one. ``links`` are addresses to look at, such as the merge request's.
    """

    run: TrainingRun
    in_checkout: bool
    links: tuple[str, ...] = ()


class StartedTraining(Protocol):
    """A training that was started and may still run."""

    @property
    def jobs(self) -> tuple[str, ...]:
        """Return ARNs and URLs of where it runs; none on this machine."""

    def wait(self) -> TrainingOutcome:
        """Return when the training has ended.

        Raises:
            SlipwayError: it failed; says why, and where its log is.
        """


class Place(Protocol):
    """This machine, SageMaker, or Airflow."""

    @property
    def name(self) -> PlaceName:
        """Return the place's name, as ``--on`` takes it."""

    @property
    def detachable(self) -> bool:
        """Return whether a training goes on without the process that started it."""

    def start(self, request: TrainingRequest) -> StartedTraining:
        """Start a training. On this machine it begins with :meth:`StartedTraining.wait`.

        Raises:
            SlipwayError: it cannot be started.
        """


@runtime_checkable
class ResumablePlace(Protocol):
    """A place that knows what was started there, from any machine."""

    def resume(self, request: TrainingRequest) -> StartedTraining:
        """Return the training that was started as the request's ``run_id``.

        Raises:
            SlipwayError: there is none.
        """
