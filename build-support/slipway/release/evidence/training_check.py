"""Check the statement of a training against the other evidence, and the release's record."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.catalog.keys import Kind
from slipway.catalog.weights_source import RunReference
from slipway.release.evidence import provenance, training
from slipway.release.evidence.statement import Statement


def find_training_problems(
    evidence: Mapping[Kind, bytes],
    checked: Mapping[Kind, Statement],
    trained_by: RunReference | None,
) -> list[str]:
    """Return the problems of the training: its subjects against the provenance, its run against
    the release's record.

    Raises:
        SlipwayError: a statement has an unknown form.
    """
    if "training" not in evidence:
        if trained_by is None:
            return []
        return [f"training: it is missing, and the record names {trained_by.id}"]
    if "training" not in checked:
        return []  # a problem of the envelope
    trained = training.parse_training(checked["training"], "training")
    problems: list[str] = []
    if trained_by is not None and trained.reference != trained_by:
        problems.append(f"training: it is of {trained.run.id}, the record names {trained_by.id}")
    if "provenance" not in evidence:
        problems.append("training: there is no provenance that names the weights")
    elif "provenance" in checked:
        inputs = provenance.parse_provenance(checked["provenance"], "provenance").inputs
        problems += [
            f"training: about another file than the artifact's {name}"
            for name, digests in trained.subjects.items()
            if not _same_file(digests, inputs.get(name, {}))
        ]
    return problems


def _same_file(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    shared = set(one) & set(other)
    return bool(shared) and all(one[algorithm] == other[algorithm] for algorithm in shared)
