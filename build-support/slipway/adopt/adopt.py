"""Carry out a plan: write all of its folders, or none, and say what is left to do by hand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from slipway import check
from slipway.adopt.fill import fill_folder
from slipway.adopt.plan import Plan, PlannedFolder
from slipway.adopt.record import no_case, record_case, refused_by_errors
from slipway.adopt.requirements import add_local_modules, write_requirements
from slipway.adopt.steps import Step, not_covered, shown_at, steps_of_findings
from slipway.check.fix.apply import apply_fixes
from slipway.model.weights import Weights
from slipway.scaffold.writing import new_folders
from slipway.settings import Settings

PACKAGES = "SW6"  # of the rules about requirements and environments

type Progress = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Adoption:
    """How a plan is carried out.

    With ``record``, a server is asked for the answers of golden cases. ``progress`` shows what is
    being done.
    """

    settings: Settings
    progress: Progress
    record: bool = True


@dataclass(frozen=True)
class Adopted:
    """One folder that was written; ``fixed`` are the mechanical fixes of the check, as a diff.

    ``warnings`` counts what the check finds besides the errors, which are among the ``steps``.
    """

    name: str
    steps: tuple[Step, ...]
    fixed: str
    warnings: int


def adopt(plan: Plan, adoption: Adoption) -> list[Adopted]:
    """Write the folders of ``plan`` to ``models/``, and return what is left to do in each.

    Raises:
        SlipwayError: a file cannot be read or written, or a name was taken meanwhile; ``models/``
            is then as it was.
    """
    names = [folder.name for folder in plan.folders]
    store = Weights(adoption.settings.root)
    with new_folders(names, adoption.settings) as folders:
        return [
            _adopt_one(folder, planned, plan, adoption, store)
            for folder, planned in zip(folders, plan.folders, strict=True)
        ]


def _adopt_one(
    folder: Path, planned: PlannedFolder, plan: Plan, adoption: Adoption, store: Weights
) -> Adopted:
    name, settings, progress = planned.name, adoption.settings, adoption.progress
    with progress(f"copying {name}"):
        steps = fill_folder(folder, planned, plan.version, store)
        add_local_modules(folder, plan.path, settings)
    with progress(f"checking {name}"):
        fixed = apply_fixes(lambda: _without_packages(check.check([folder], settings)))
    with progress(f"locking the packages of {name}"):
        steps += write_requirements(folder, planned, plan.path, settings)
    findings = check.check([folder], settings)
    steps += not_covered(steps_of_findings(findings, name), steps)
    if not adoption.record:
        no_case(folder)
    elif any(finding.severity == "error" for finding in findings):
        steps += refused_by_errors(folder)
    else:
        with progress(f"asking a server for an answer of {name}"):
            steps += record_case(folder, settings)
    final = f"models/{name}"
    return Adopted(
        name,
        tuple(shown_at(steps, folder, final)),
        fixed.diff().replace(str(folder), final),
        sum(finding.severity == "warning" for finding in findings),
    )


def _without_packages(findings: list[check.Finding]) -> list[check.Finding]:
    """Return the findings but those about requirements, which are written after the fixes."""
    return [finding for finding in findings if not finding.rule.startswith(PACKAGES)]
