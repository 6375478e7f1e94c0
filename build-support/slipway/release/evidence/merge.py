"""Merge new evidence about an artifact into the evidence that a store holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from slipway.catalog.commit import is_clean
from slipway.catalog.keys import Kind
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, provenance, statement, training
from slipway.release.evidence import test_result as tests
from slipway.release.evidence.provenance import Provenance
from slipway.release.evidence.statement import PAYLOAD_TYPE
from slipway.release.evidence.test_result import TestResult

# the SBOM before the provenance that names its digest
TOGETHER: tuple[Kind, ...] = ("sbom", "provenance")
WRITTEN: tuple[Kind, ...] = (*TOGETHER, "training", "tests")


def merge_evidence(
    existing: Mapping[Kind, bytes], collected: Mapping[Kind, bytes]
) -> dict[Kind, bytes]:
    """Return the documents of ``collected`` to write into a store that holds ``existing`` about the
    same artifact, in the order to write them in.

    Missing documents are written. A later test result replaces an earlier one, with two
    exceptions: an unsigned one never replaces a signed one, and an incomplete one never replaces
    one in which all tests passed. The provenance of the first build stays, with its SBOM, unless
    the new one is signed by another key, the old one is damaged, or only the new one names a commit
    that has all of the artifact. The training that was named first stays, unless its statement is
    damaged, or the new one is signed by another key.
    """
    chosen = {kind: document for kind, document in collected.items() if kind not in existing}
    old, new = (_signers(documents, "tests") for documents in (existing, collected))
    if (
        "tests" in collected
        and (new or not old)
        and not (_passed(existing) and _incomplete(collected))
    ):
        chosen["tests"] = collected["tests"]
    old, new = (_signers(documents, "provenance") for documents in (existing, collected))
    committed = _is_committed(collected) and not _is_committed(existing) and new >= old
    if "provenance" in collected and (new - old or committed or not _is_intact(existing)):
        chosen |= {kind: collected[kind] for kind in TOGETHER if kind in collected}
    old, new = (_signers(documents, "training") for documents in (existing, collected))
    if "training" in collected and (new - old or not _is_training(existing)):
        chosen["training"] = collected["training"]
    return {kind: chosen[kind] for kind in WRITTEN if kind in chosen}


def _is_training(documents: Mapping[Kind, bytes]) -> bool:
    """Return whether there is a statement of a training that is readable."""
    try:
        opened = envelope.open_envelope(documents["training"], PAYLOAD_TYPE, [])
        training.parse_training(statement.parse_statement(opened.payload), "training")
    except (KeyError, ValueError, SlipwayError):
        return False
    return True


def _signers(documents: Mapping[Kind, bytes], kind: Kind) -> set[str]:
    """Return the ids of the keys that an envelope names; none if it is missing or damaged."""
    try:
        return set(envelope.open_envelope(documents[kind], PAYLOAD_TYPE, []).signatures)
    except (KeyError, ValueError):
        return set()


def _passed(documents: Mapping[Kind, bytes]) -> bool:
    result = _test_result(documents)
    return result is not None and result.passed


def _incomplete(documents: Mapping[Kind, bytes]) -> bool:
    """Return whether no test failed, but the run was incomplete."""
    result = _test_result(documents)
    return result is not None and not result.passed and not result.failures


def _test_result(documents: Mapping[Kind, bytes]) -> TestResult | None:
    try:
        opened = envelope.open_envelope(documents["tests"], PAYLOAD_TYPE, [])
        return tests.parse_test_result(statement.parse_statement(opened.payload), "tests")
    except (KeyError, ValueError, SlipwayError):
        return None


def _is_intact(documents: Mapping[Kind, bytes]) -> bool:
    """Return whether the provenance is readable, and the SBOM that it names is present."""
    named = _provenance(documents)
    if named is None:
        return False
    return named.sbom == (
        hashlib.sha256(documents["sbom"]).hexdigest() if "sbom" in documents else None
    )


def _is_committed(documents: Mapping[Kind, bytes]) -> bool:
    """Return whether the provenance names a commit without uncommitted changes."""
    named = _provenance(documents)
    return named is not None and is_clean(named.commit)


def _provenance(documents: Mapping[Kind, bytes]) -> Provenance | None:
    try:
        opened = envelope.open_envelope(documents["provenance"], PAYLOAD_TYPE, [])
        return provenance.parse_provenance(statement.parse_statement(opened.payload), "provenance")
    except (KeyError, ValueError, SlipwayError):
        return None
